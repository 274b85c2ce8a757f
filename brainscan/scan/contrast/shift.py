"""Has the subject moved towards a concept, compared with its reference, where nobody asked for it?

Both models read the same neutral requests. What they hold at the last token before the answer is
projected on the reference's own direction of the concept. Source: persona vectors (arXiv 2507.21509),
section 3.3; the random directions are the control that a change of any kind must be told apart from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainscan.core.statistics import Floats
from brainscan.probes.mean_difference import TINY, standard
from brainscan.probes.validate import Labelled


@dataclass(frozen=True)
class Shift:
    """How far the subject lies from the reference along the reference's direction."""

    moved: Floats
    """[request] difference in units of the reference's spread over the requests; above 0 is towards the concept."""
    random: Floats
    """[direction] mean difference along covariance-matched random directions, in the same unit."""

    @property
    def value(self) -> float:
        """Mean over requests; exactly 0 for an identical reference."""
        return float(self.moved.mean())

    @property
    def usual(self) -> float:
        """95th percentile of the size along random directions: a shift below it is a change like any other."""
        return float(np.quantile(np.abs(self.random), 0.95))


def shift_along(contrast: Labelled, subject: Floats, reference: Floats, draws: int, rng: np.random.Generator) -> Shift:
    """Project both models' activations on the reference's directions.

    Args:
        contrast: the reference's activations on the concept's two arms [item, layer, d].
        subject: the subject's activations on the neutral requests [request, layer, d].
        reference: the reference's on the same requests [request, layer, d].
        draws: how many random directions.
        rng: draws them.
    """
    true = np.where(contrast.y, 1 / contrast.y.sum(), -1 / (~contrast.y).sum())
    weights = np.vstack([true, rng.normal(size=(draws, true.size))])  # [direction, item]
    ours, theirs = _along(contrast, weights, subject, reference)
    unit = np.maximum(theirs.std(1), TINY)[:, None]
    moved = (ours - theirs) / unit  # [direction, request]
    return Shift(moved[0], moved[1:].mean(1))


def _along(contrast: Labelled, weights: Floats, subject: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """Ensemble projections [direction, request] of subject and reference, each layer in the reference's spread."""
    both = np.zeros((2, weights.shape[0], reference.shape[0]))
    for layer in range(reference.shape[1]):
        train = contrast.x[:, layer]
        mean, scale = standard(train)
        directions = weights @ ((train - mean) / scale)  # [direction, d]
        raw = np.stack([directions @ ((x[:, layer] - mean) / scale).T for x in (subject, reference)])
        both += (raw - raw[1].mean(1)[:, None]) / np.maximum(raw[1].std(1), TINY)[:, None] / reference.shape[1]
    return both[0], both[1]
