"""Steer: add a direction to the stream at one or more sites, everywhere or in one phase.

Source: activation addition, Turner et al. 2023 (2308.10248); contrastive activation addition, Rimsky et al. 2023
(2312.06681).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from brainscan.subject.edit import Edit
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Changes, Kind


@dataclass(frozen=True, eq=False)
class Steer(Kind):
    """Adds ``dose * vectors[site]`` ([d]) at each site."""

    kind: ClassVar[str] = "steer"
    permanent: ClassVar[bool] = False

    phase: Literal["prompt", "generated"] | None = None
    """None: on every token."""

    def changes(self, subject: LanguageSubject) -> Changes:
        """One addition a site."""
        edits = (Edit.add(site, vector, dose=self.dose, at=self.phase) for site, vector in self.vectors.items())
        return Changes(edits=tuple(edits) if self.dose else ())

    def words(self) -> str:
        """What it does."""
        where = "" if self.phase is None else f" on {self.phase} tokens"
        return f"{self.dose:+.3g} times a direction added at {', '.join(self.vectors)}{where}"
