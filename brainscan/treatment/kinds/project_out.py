"""Project out: hold the stream's component along a direction at a fixed level, none unless told otherwise.

Source: directional ablation, Arditi et al. 2024 (2406.11717), section 2.4. Holding it at the mean of ordinary text
instead of zero (mean ablation) disturbs ordinary text less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import torch

from brainscan.core.errors import UsageError
from brainscan.subject.edit import Edit, Layout
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Changes, Kind


@dataclass(frozen=True, eq=False)
class ProjectOut(Kind):
    """Moves the component along ``vectors[site]`` ([d], any norm but 0) towards a level by the share ``dose``."""

    kind: ClassVar[str] = "project-out"
    permanent: ClassVar[bool] = False

    levels: Mapping[str, float] = field(default_factory=dict)
    """Site -> component along the unit direction that is left standing; 0 where none is given."""

    def changes(self, subject: LanguageSubject) -> Changes:
        """One projection a site.

        Raises:
            UsageError: a direction is zero.
        """
        if any(not bool(vector.norm() > 0) for vector in self.vectors.values()):
            raise UsageError("A zero direction cannot be projected out.", "Give a direction with a norm above 0.")
        edits = (
            Edit.map(
                site, partial(_held, unit=vector / vector.norm(), level=self.levels.get(site, 0.0), share=self.dose)
            )
            for site, vector in self.vectors.items()
        )
        return Changes(edits=tuple(edits) if self.dose else ())

    def words(self) -> str:
        """What it does."""
        level = "its usual level" if any(self.levels.values()) else "zero"
        return f"{self.dose:.3g} of the way to {level} along a direction at {', '.join(self.vectors)}"


def _held(x: torch.Tensor, layout: Layout, *, unit: torch.Tensor, level: float, share: float) -> torch.Tensor:
    unit = unit.to(device=x.device, dtype=x.dtype)
    along = (x * unit).sum(-1, keepdim=True)  # [batch, pos, 1]
    return x + share * (level - along) * unit
