"""The mean-difference probe: the simplest direction, and the hardest to overfit.

Source: Marks & Tegmark, "The Geometry of Truth" (arXiv 2310.06824), section 5; found best among
simple detectors by AxBench (arXiv 2501.17148), table 1.
"""

from __future__ import annotations

from typing import Self

from numpy.typing import ArrayLike

from brainscan.probes.protocol import Floats, checked_rows, checked_training

TINY = 1e-8
"""Below this a spread counts as none: the dimension is constant."""


class MeanDifference:
    """Projection on the difference of the class means, every dimension standardised first.

    Standardising keeps a few dimensions with massive activations from being the whole direction.
    The score is 0 half-way between the class means; its unit is the spread of the training scores.

    Learned: ``mean_``, ``scale_``, ``direction_`` [d] (in standardised space), ``offset_``, ``spread_``.
    """

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Learn from activations [n, d] and labels [n].

        Raises:
            UsageError: the shapes disagree, a value is not finite, or a class is missing.
        """
        data, labels = checked_training(x, y)
        self.mean_, self.scale_ = standard(data)
        z = (data - self.mean_) / self.scale_
        self.direction_ = z[labels].mean(0) - z[~labels].mean(0)
        along = z @ self.direction_
        self.offset_ = float((along[labels].mean() + along[~labels].mean()) / 2)
        self.spread_ = max(float(along.std()), TINY)
        return self

    def score(self, x: ArrayLike) -> Floats:
        """Standardised projection [n]: above 0 is nearer to the positives' mean.

        Raises:
            UsageError: not fitted yet, another width, or a value that is not finite.
        """
        data = checked_rows(x, self, "direction_")
        return ((data - self.mean_) / self.scale_ @ self.direction_ - self.offset_) / self.spread_


def standard(data: Floats) -> tuple[Floats, Floats]:
    """Mean and spread [d] of each dimension of [n, d]; a constant dimension gets spread 1."""
    scale = data.std(0)
    scale[scale < TINY] = 1.0
    return data.mean(0), scale
