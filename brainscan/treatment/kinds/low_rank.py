"""Low-rank removal: take the strongest directions of a fine-tune's change out of the weights again.

It needs the reference. At the full rank of the change it is the reference; what it shows is how few directions carry
the behaviour, and what is left of everything else that was learned when only those are taken out.
Source: the change of a narrow fine-tune is low-rank (Hu et al. 2021, 2106.09685, section 7.2); singular directions
of a difference of weights as the thing that was learned: task arithmetic, Ilharco et al. 2022 (2212.04089).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch

from brainscan.core.errors import UsageError
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.kinds.delta import LEFT, RIGHT, Delta

_OVERSAMPLE, _ROUNDS = 8, 4


@dataclass(frozen=True, eq=False)
class LowRankRemoval(Delta):
    """Minus the first singular directions of subject minus reference, in every changed matrix."""

    kind: ClassVar[str] = "low-rank"
    permanent: ClassVar[bool] = True

    @classmethod
    def of(
        cls, subject: LanguageSubject, reference: LanguageSubject, rank: int, layers: Sequence[int] | None = None
    ) -> Self:
        """Remove the ``rank`` strongest directions of each matrix's change.

        Args:
            layers: blocks that are treated; all when left out.

        Raises:
            UsageError: the two differ in shape, or do not differ at all.
        """
        theirs = dict(reference.model.named_parameters())
        found: dict[str, torch.Tensor] = {}
        for name, ours in subject.model.named_parameters():
            if ours.dim() != 2 or not _within(subject, name, layers):
                continue
            if name not in theirs or theirs[name].shape != ours.shape:
                raise UsageError(
                    f"{name} has no counterpart in {reference.card.name}.",
                    "Give the reference that the subject was fine-tuned from.",
                )
            if torch.equal(ours, theirs[name]):
                continue
            left, right = _strongest((ours - theirs[name]).detach().float(), rank)
            found[name + LEFT], found[name + RIGHT] = -left, right
        if not found:
            raise UsageError(
                f"{subject.card.name} and {reference.card.name} have equal weights there, so nothing can be removed.",
                "Give the reference that it was fine-tuned from.",
            )
        return cls(found)

    def words(self) -> str:
        """What it does."""
        return f"{self.dose:.3g} of the {self.rank()} strongest directions of {len(self.parameters())} matrices' change removed"


def _strongest(change: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The best approximation of that rank as left [out, rank] @ right [rank, in]; seeded, so equal inputs agree."""
    width = min(rank + _OVERSAMPLE, *change.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        u, s, v = torch.svd_lowrank(change, q=width, niter=_ROUNDS)
    return (u[:, :rank] * s[:rank]).contiguous(), v[:, :rank].T.contiguous()


def _within(subject: LanguageSubject, name: str, layers: Sequence[int] | None) -> bool:
    if layers is None:
        return True
    stem = f"{subject.family.body}.{subject.family.layers}."
    return name.startswith(stem) and int(name.removeprefix(stem).split(".")[0]) in layers
