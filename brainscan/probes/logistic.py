"""The logistic probe: standardised activations, strong L2, because the width exceeds the number of rows.

Source: Apollo, "Detecting Strategic Deception Using Linear Probes" (arXiv 2502.03407), section 3.2
(logistic regression on standardised activations with heavy L2).
"""

from __future__ import annotations

from typing import Self

from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression

from brainscan.probes.mean_difference import TINY, standard
from brainscan.probes.protocol import Floats, checked_rows, checked_training


class Logistic:
    """L2-regularised logistic regression on standardised activations.

    Args:
        c: inverse strength of the penalty, scikit-learn's C. 0.001 to 0.1 is sensible for widths of
            some hundreds; a large value separates any training set perfectly and generalises worse.

    Learned: ``mean_``, ``scale_``, ``direction_`` [d] (in standardised space), ``offset_``, ``spread_``.
    """

    def __init__(self, c: float = 0.01) -> None:
        self.c = c

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Learn from activations [n, d] and labels [n].

        Raises:
            UsageError: the shapes disagree, a value is not finite, or a class is missing.
        """
        data, labels = checked_training(x, y)
        self.mean_, self.scale_ = standard(data)
        z = (data - self.mean_) / self.scale_
        model = LogisticRegression(C=self.c, class_weight="balanced", max_iter=1000).fit(z, labels)
        self.direction_, self.offset_ = model.coef_[0], -float(model.intercept_[0])
        self.spread_ = max(float((z @ self.direction_).std()), TINY)
        return self

    def score(self, x: ArrayLike) -> Floats:
        """Log-odds in units of their spread over the training rows [n]: above 0 is called positive.

        Raises:
            UsageError: not fitted yet, another width, or a value that is not finite.
        """
        data = checked_rows(x, self, "direction_")
        return ((data - self.mean_) / self.scale_ @ self.direction_ - self.offset_) / self.spread_
