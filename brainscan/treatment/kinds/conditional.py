"""Conditional steering: add a direction only from the token on at which a probe fires.

A token's score is read at one site; once a score has passed the threshold, the steering stays on for the rest of the
row, so that ordinary text is left exactly alone. It is causal: what is written with a cache equals what is read at once.
Source: conditional activation steering, Lee et al. 2024 (2409.05907), which gates by similarity to a condition vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from brainscan.core.errors import UsageError
from brainscan.subject.edit import Edit, Layout
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Changes, Kind

PROBE = "probe"
"""Key of the probe's direction among the arrays; all other keys are sites that are steered."""


@dataclass(frozen=True, eq=False)
class Conditional(Kind):
    """Adds ``dose * vectors[site]`` at each site, in rows and from the token on where the probe has fired."""

    kind: ClassVar[str] = "conditional"
    permanent: ClassVar[bool] = False

    watch: str = "resid_post.0"
    """Site that the probe reads; sites that are steered must not lie below it."""
    threshold: float = 0.0
    """Of the projection on the probe's direction; above it fires."""

    def changes(self, subject: LanguageSubject) -> Changes:
        """One edit that watches, then one a site.

        Raises:
            UsageError: there is no probe among the arrays.
        """
        if PROBE not in self.vectors:
            raise UsageError("Conditional steering has no probe.", f"Give its direction as the array {PROBE!r}.")
        if not self.dose:
            return Changes()
        gate = _Gate(self.vectors[PROBE], self.threshold)
        steered = [
            Edit.map(site, _Gated(gate, self.dose * vector)) for site, vector in self.vectors.items() if site != PROBE
        ]
        return Changes(edits=(Edit.map(self.watch, gate), *steered))

    def words(self) -> str:
        """What it does."""
        sites = ", ".join(site for site in self.vectors if site != PROBE)
        return f"{self.dose:+.3g} times a direction added at {sites} once a probe at {self.watch} fires"


class _Gate:
    """Watches; remembers, between the steps of one generation, which rows have fired."""

    def __init__(self, direction: torch.Tensor, threshold: float) -> None:
        self.direction, self.threshold = direction, threshold
        self.open = torch.zeros(0, 0, dtype=torch.bool)  # [batch, pos] of the pass that runs now

    def __call__(self, x: torch.Tensor, layout: Layout) -> torch.Tensor:
        score = x.float() @ self.direction.to(x.device).float()  # [batch, pos]
        fired = (score > self.threshold) & (layout.positions >= 0)
        if _continues(layout) and self.open.shape[0] == fired.shape[0]:
            fired[:, 0] |= self.open[:, -1].to(fired.device)
        self.open = fired.int().cummax(1).values.bool()
        return x


class _Gated:
    """Adds a vector where the gate is open."""

    def __init__(self, gate: _Gate, vector: torch.Tensor) -> None:
        self.gate, self.vector = gate, vector

    def __call__(self, x: torch.Tensor, layout: Layout) -> torch.Tensor:
        return x + self.gate.open.to(x.device)[..., None] * self.vector.to(device=x.device, dtype=x.dtype)


def _continues(layout: Layout) -> bool:
    """Whether this pass goes on with rows that an earlier pass began: no first token is in it."""
    return not bool((layout.positions == 0).any())
