"""How far a token's activations lie from those of clean traffic, at several layers.

Arrays: ``mean`` [site, d] and ``whitening`` [site, d, d] of Mahalanobis probes with their
standardisation folded in, ``centre`` and ``spread`` [site] of clean distances. Each site's distance is
standardised and the sites vote with equal weight. It needs no example of what it is to find; unusual
traffic raises it too.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike

from brainscan.core.address import Site
from brainscan.monitor.reader import Seen, stacked
from brainscan.monitor.record import Arrays, Rule
from brainscan.probes.mahalanobis import Mahalanobis
from brainscan.probes.mean_difference import TINY


class Distance:
    """Mean over sites of the standardised distance; 0 is an ordinary clean token."""

    def __init__(self, rule: Rule, arrays: Arrays) -> None:
        self.sites = tuple(Site.parse(site) for site in rule.sites)
        self.mean, self.whitening = (torch.from_numpy(arrays[name]) for name in ("mean", "whitening"))
        self.centre, self.spread = (torch.from_numpy(arrays[name]) for name in ("centre", "spread"))

    def score(self, seen: Seen) -> torch.Tensor:
        """[batch, pos], in spreads of clean tokens."""
        x = stacked(seen, self.sites)  # [batch, pos, site, d]
        z = torch.einsum("bpsd,sde->bpse", x - self.mean.to(x.device), self.whitening.to(x.device))
        distance = z.norm(dim=-1) / math.sqrt(x.shape[-1])
        return ((distance - self.centre.to(x.device)) / self.spread.to(x.device)).mean(-1)


def learn(x: ArrayLike) -> Arrays:
    """Arrays of a distance rule from clean activations [n, site, d].

    Raises:
        UsageError: a value is not finite.
    """
    layers = np.moveaxis(np.asarray(x, dtype=np.float64), 1, 0)  # [site, n, d]
    fitted = [_fit(layer) for layer in layers]
    distances = [probe.score(layer) / math.sqrt(layer.shape[1]) for probe, layer in zip(fitted, layers, strict=True)]
    return {
        "mean": np.stack([probe.mean_ for probe in fitted]).astype(np.float32),
        "whitening": np.stack([probe.whitening_ / probe.scale_[:, None] for probe in fitted]).astype(np.float32),
        "centre": np.array([d.mean() for d in distances], dtype=np.float32),
        "spread": np.array([max(d.std(), TINY) for d in distances], dtype=np.float32),
    }


def _fit(layer: np.ndarray) -> Mahalanobis:
    # The protocol of probes asks for both classes; Mahalanobis learns from the negatives alone.
    marked = np.arange(len(layer) + 1) == len(layer)
    return Mahalanobis().fit(np.concatenate([layer, layer[:1]]), marked)
