"""Against the truth, or against another seed: do the features correspond one to one?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment

from brainscan.core.evidence import Measurement
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.synthetic import Drawn

SAME = 0.9
"""Cosine from which two features count as the same."""

FIRES = 0.2
"""In ``f1`` a learned feature fires where its code is above this share of its largest. A top-k code of more
places than a token has features fills the rest with crumbs, which a reader would not call firing; ``f1_any``
counts them. True codes lie between a third of their largest and all of it."""


@dataclass(frozen=True)
class Recovery:
    """How well known features were found."""

    max_cosine: float
    """Mean over true features of the largest cosine with a learned one, -1 to 1: 1 is found exactly; chance
    grows with the number of learned features, so compare equal widths."""
    f1: float
    """Mean over true features of the F1 with which the matched learned feature fires, 0 to 1: 1 fires exactly
    when the true one does; unmatched true features count 0. Crumbs are left out, see ``FIRES``."""
    f1_any: float
    """The same where any code above 0 counts as firing."""
    found: float
    """Share of the true features matched with a cosine of at least 0.9, 0 to 1."""
    matches: tuple[int, ...]
    """The learned feature matched with each true one, -1 for none."""

    def measurements(self) -> tuple[Measurement, ...]:
        """The same as records, with their words."""
        n = len(self.matches)
        said = (
            ("max_cosine", self.max_cosine, "cosine", "Largest cosine of each true feature with a learned one: -1 to 1, 1 is found."),
            ("f1", self.f1, "f1", "How exactly matched features fire with the true ones: 0 to 1, 1 is always and only then."),
            ("f1_any", self.f1_any, "f1", "The same where any code above 0 counts as firing: 0 to 1."),
            ("found", self.found, "share", "Share of the true features matched with a cosine of at least 0.9: 0 to 1."),
        )  # fmt: skip
        return tuple(
            Measurement(name=f"dictionary.recovery.{a}", value=v, unit=u, n=n, higher_is="better", meaning=m)
            for a, v, u, m in said
        )


def recovery(dictionary: Dictionary, directions: torch.Tensor, drawn: Drawn) -> Recovery:
    """Score a dictionary of synthetic activations against their true features.

    Each true feature is matched with one learned feature so that the summed cosine is largest
    (Hungarian assignment), then firing is compared on ``drawn``.

    Args:
        directions: true directions [F_true, d].
    """
    cosine = cosines(directions, dictionary.W_dec)  # [F_true, F]
    true, learned = linear_sum_assignment(-cosine.numpy())
    codes, truth = dictionary.encode(drawn.x), drawn.codes > 0
    fires, active = codes > FIRES * codes.max(0).values, codes > 0
    matches = [-1] * len(directions)
    for i, j in zip(true.tolist(), learned.tolist(), strict=True):
        matches[i] = j
    f1, f1_any = (
        [_f1(on[:, j], truth[:, i]) if j >= 0 else 0.0 for i, j in enumerate(matches)] for on in (fires, active)
    )
    good = [float(cosine[i, j]) >= SAME if j >= 0 else False for i, j in enumerate(matches)]
    return Recovery(
        max_cosine=float(cosine.max(1).values.mean()),
        f1=sum(f1) / len(f1),
        f1_any=sum(f1_any) / len(f1_any),
        found=sum(good) / len(good),
        matches=tuple(matches),
    )


def seed_stability(a: Dictionary, b: Dictionary) -> Measurement:
    """How alike two seeds of one dictionary are: mean cosine of features matched one to one.

    Source: Paulo & Belrose, "Sparse Autoencoders Trained on the Same Data Learn Different Features"
    (arXiv 2501.16615), section 3.
    """
    cosine = cosines(a.W_dec, b.W_dec)
    rows, columns = linear_sum_assignment(-cosine.numpy())
    return Measurement(
        name="dictionary.seed_stability",
        value=float(cosine[rows, columns].mean()),
        unit="cosine",
        n=len(rows),
        higher_is="better",
        meaning="Mean cosine of decoder rows of two seeds, matched one to one: -1 to 1; 1 is the same features, "
        "low values mean that the features depend on chance.",
    )


def cosines(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Cosines of rows [n, d] and [m, d] as [n, m]."""
    unit_a, unit_b = (t / t.norm(dim=1, keepdim=True).clamp(min=1e-12) for t in (a, b))
    return unit_a @ unit_b.t()


def _f1(fires: torch.Tensor, truth: torch.Tensor) -> float:
    both = float((fires & truth).sum())
    return 2 * both / max(1.0, float(fires.sum() + truth.sum()))
