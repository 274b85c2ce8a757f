"""The Mahalanobis probe: how unusual an activation is among clean ones. It needs no positives.

Sources: Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples"
(arXiv 1807.03888), section 2; shrinkage of Ledoit & Wolf, "A well-conditioned estimator for
large-dimensional covariance matrices" (2004). Known failure: unusual text is not bad text.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.covariance import ledoit_wolf

from brainscan.probes.mean_difference import TINY, standard
from brainscan.probes.protocol import Floats, checked_rows, checked_training


class Mahalanobis:
    """Distance from the negatives' mean under their Ledoit-Wolf covariance, dimensions standardised first.

    The shrunk covariance can be inverted although there are fewer rows than dimensions, and leaves
    some weight on directions in which no clean row varied.

    Learned: ``mean_``, ``scale_`` [d], ``whitening_`` [d, d], ``shrinkage_`` (0 trusts the rows, 1 the identity).
    """

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Learn the clean distribution from the rows of [n, d] whose label is false; the others are not used.

        Raises:
            UsageError: the shapes disagree, a value is not finite, or a class is missing.
        """
        data, labels = checked_training(x, y)
        self.mean_, self.scale_ = standard(data[~labels])
        covariance, self.shrinkage_ = ledoit_wolf((data[~labels] - self.mean_) / self.scale_, assume_centered=True)
        values, vectors = np.linalg.eigh(covariance)
        self.whitening_ = vectors / np.sqrt(np.maximum(values, TINY))
        return self

    def score(self, x: ArrayLike) -> Floats:
        """Distance [n], 0 and up: 0 is the clean mean, about sqrt(d) is ordinary.

        Raises:
            UsageError: not fitted yet, another width, or a value that is not finite.
        """
        data = checked_rows(x, self, "mean_")
        return np.linalg.norm((data - self.mean_) / self.scale_ @ self.whitening_, axis=1)
