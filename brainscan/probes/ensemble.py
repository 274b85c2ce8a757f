"""Several layers at once: the mean of each layer's standardised score.

A direction rotates from layer to layer and no single layer is best for all concepts, so about five
layers, spread over depth, vote with equal weight. Source: Nordby et al. (arXiv 2604.13386).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from brainscan.core.errors import UsageError
from brainscan.probes.protocol import Floats, Probe


class LayerEnsemble:
    """One probe a layer; the score is their mean. The probes' scores must be standardised.

    Args:
        factory: makes an unfitted probe of one layer.

    Learned: ``probes_``, one a layer.
    """

    def __init__(self, factory: Callable[[], Probe]) -> None:
        self.factory = factory

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Learn from activations [n, layer, d] and labels [n].

        Raises:
            UsageError: the shapes disagree, a value is not finite, or a class is missing.
        """
        self.probes_ = tuple(self.factory().fit(layer, y) for layer in _by_layer(x))
        return self

    def score(self, x: ArrayLike) -> Floats:
        """Mean over layers of the standardised scores [n].

        Raises:
            UsageError: not fitted yet, other layers or widths than in ``fit``, or a value that is not finite.
        """
        return self.by_layer(x).mean(1)

    def by_layer(self, x: ArrayLike) -> Floats:
        """Each layer's standardised score [n, layer]; raises like ``score``."""
        if not hasattr(self, "probes_"):
            raise UsageError("This LayerEnsemble has not been fitted.", "Call fit(x, y) first.")
        layers = _by_layer(x)
        if len(layers) != len(self.probes_):
            raise UsageError(
                f"The ensemble was fitted on {len(self.probes_)} layers and is given {len(layers)}.",
                "Score the same layers.",
            )
        return np.stack([probe.score(layer) for probe, layer in zip(self.probes_, layers, strict=True)], 1)


def _by_layer(x: ArrayLike) -> Floats:
    """[n, layer, d] -> [layer, n, d]."""
    data = np.asarray(x, dtype=np.float64)
    if data.ndim != 3:
        raise UsageError(f"Activations must be [rows, layer, width] and are {list(data.shape)}.", "Stack the layers.")
    return np.moveaxis(data, 1, 0)
