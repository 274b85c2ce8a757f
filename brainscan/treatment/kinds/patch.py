"""Patch: put another run's activation where the answer begins, for example the reference's mean at that site.

Source: activation patching, Vig et al. 2020 (2004.12265); here a fixed source is laid in as a treatment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch

from brainscan.subject.edit import Edit, Layout
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Changes, Kind


@dataclass(frozen=True, eq=False)
class Patch(Kind):
    """Moves the stream of one token of each row towards ``vectors[site]`` ([d]) by the share ``dose``."""

    kind: ClassVar[str] = "patch"
    permanent: ClassVar[bool] = False

    position: int = -1
    """Token of the prompt, negative ones counted from its end."""

    def changes(self, subject: LanguageSubject) -> Changes:
        """One edit a site."""
        edits = (
            Edit.map(site, partial(_moved, source=vector, share=self.dose), at=self.position)
            for site, vector in self.vectors.items()
        )
        return Changes(edits=tuple(edits) if self.dose else ())

    def words(self) -> str:
        """What it does."""
        return f"token {self.position} of the prompt moved {self.dose:.3g} of the way to a given state at {', '.join(self.vectors)}"


def _moved(x: torch.Tensor, layout: Layout, *, source: torch.Tensor, share: float) -> torch.Tensor:
    return x + share * (source.to(device=x.device, dtype=x.dtype) - x)
