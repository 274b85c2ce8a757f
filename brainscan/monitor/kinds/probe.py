"""A learned direction at several layers: how much of a concept is in each token.

Arrays: ``weights`` [site, d] and ``offsets`` [site], the probes of ``brainscan.probes`` with their
standardisation folded in. The score is the mean over sites (Nordby et al., arXiv 2604.13386).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from brainscan.core.address import Site
from brainscan.monitor.reader import Seen, stacked
from brainscan.monitor.record import Arrays, Rule
from brainscan.probes.logistic import Logistic


class Linear(Protocol):
    """A fitted probe that is one direction: mean difference or logistic."""

    mean_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    direction_: NDArray[np.float64]
    offset_: float
    spread_: float


class Probe:
    """Mean over sites of standardised projections; above 0 is nearer to the concept in training."""

    def __init__(self, rule: Rule, arrays: Arrays) -> None:
        self.sites = tuple(Site.parse(site) for site in rule.sites)
        self.weights = torch.from_numpy(arrays["weights"])  # [site, d]
        self.offset = float(arrays["offsets"].mean())

    def score(self, seen: Seen) -> torch.Tensor:
        """[batch, pos], in spreads of the training scores."""
        x = stacked(seen, self.sites)  # [batch, pos, site, d]
        return (x * self.weights.to(x.device)).sum((-1, -2)) / len(self.sites) - self.offset


def folded(probe: Linear) -> tuple[NDArray[np.float32], float]:
    """Weights [d] and offset that give the probe's own score from raw activations."""
    weights = probe.direction_ / probe.scale_ / probe.spread_
    return weights.astype(np.float32), float(probe.mean_ @ weights + probe.offset_ / probe.spread_)


def learn(x: ArrayLike, y: Sequence[bool], c: float = 0.01) -> Arrays:
    """Arrays of a probe rule from activations [n, site, d] and labels [n] (true: the concept is there).

    Raises:
        UsageError: a class is missing, or a value is not finite.
    """
    layers = np.moveaxis(np.asarray(x, dtype=np.float64), 1, 0)  # [site, n, d]
    parts = [folded(Logistic(c).fit(layer, np.asarray(y))) for layer in layers]
    return {
        "weights": np.stack([weights for weights, _ in parts]),
        "offsets": np.array([offset for _, offset in parts], dtype=np.float32),
    }
