"""The difference of means between harmful prompts and their harmless twins: arrays only.

Source: Arditi et al., "Refusal in Language Models Is Mediated by a Single Direction" (arXiv 2406.11717),
section 2.3. Here the layer is chosen on development categories by leaving one category out, and all that is
reported comes from other categories. The null flips which twin is called harmful.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from brainscan.core.statistics import Floats

LAST_SHARE = 0.8
"""Layers beyond this share of depth are not chosen: there a direction only moves single output tokens."""


@dataclass(frozen=True)
class Twins:
    """Activations at the last prompt token of harmful prompts and their harmless twins, row by row."""

    harmful: Floats  # [pair, layer, d]
    harmless: Floats  # [pair, layer, d]
    categories: tuple[str, ...]

    def take(self, categories: tuple[str, ...]) -> Twins:
        """The pairs of these categories."""
        rows = [i for i, category in enumerate(self.categories) if category in categories]
        return Twins(self.harmful[rows], self.harmless[rows], tuple(self.categories[i] for i in rows))

    def directions(self, signs: Floats | None = None) -> Floats:
        """Mean of harmful minus harmless [draw, layer, d]; ``signs`` [draw, pair] of -1 and 1 swap twins."""
        rows = np.ones((1, len(self.categories))) if signs is None else signs
        return np.einsum("sp,pld->sld", rows, self.harmful - self.harmless) / len(self.categories)


@dataclass(frozen=True)
class Separation:
    """How well directions from the development pairs order the held-out pairs."""

    layer: int
    """Chosen on the development pairs."""
    by_layer: Floats  # [layer], AUROC on held-out pairs
    null: Floats  # [draw, layer], the same with shuffled labels
    directions: Floats  # [layer, d]
    null_directions: Floats  # [draw, d], at the chosen layer, scaled to the norm of ``direction``
    harmful: Floats  # [held-out pair], scores at the chosen layer
    harmless: Floats  # [held-out pair]

    @property
    def direction(self) -> Floats:
        """The direction [d] of the chosen layer."""
        return self.directions[self.layer]

    def p_value(self) -> float:
        """Permutation p of the AUROC at the chosen layer, one-sided."""
        at = self.null[:, self.layer]
        return float((1 + np.sum(at >= self.by_layer[self.layer])) / (1 + at.size))


def separate(development: Twins, held: Twins, *, shuffles: int, rng: np.random.Generator) -> Separation:
    """Choose a layer and a direction on the development pairs and judge them on the held-out ones."""
    direction = development.directions()  # [1, layer, d]
    shuffled = development.directions(balanced_signs(len(development.categories), shuffles, rng))
    layer = choose_layer(development)
    null_at = shuffled[:, layer]
    norm = np.linalg.norm(direction[0, layer])
    return Separation(
        layer=layer,
        by_layer=aurocs(direction, held)[0],
        null=aurocs(shuffled, held),
        directions=direction[0],
        null_directions=null_at * (norm / np.linalg.norm(null_at, axis=1, keepdims=True)),
        harmful=held.harmful[:, layer] @ direction[0, layer],
        harmless=held.harmless[:, layer] @ direction[0, layer],
    )


def choose_layer(development: Twins) -> int:
    """The layer whose direction best orders a development category that it has not seen.

    Ties, which are common near 1, go to the layer with the widest gap between twins in units of its spread.
    """
    names = tuple(dict.fromkeys(development.categories))
    aurocs_, gaps = [], []
    for name in names:
        rest = development.take(tuple(other for other in names if other != name))
        out, direction = development.take((name,)), rest.directions()
        aurocs_.append(aurocs(direction, out)[0])
        margin = np.einsum("pld,ld->pl", out.harmful - out.harmless, direction[0])  # [pair, layer]
        gaps.append(margin.mean(0) / (margin.std(0) + 1e-9))
    allowed = max(1, round(LAST_SHARE * development.harmful.shape[1]))
    score = np.mean(aurocs_, 0)[:allowed] + 1e-3 * np.tanh(np.mean(gaps, 0)[:allowed] / 10)
    return int(score.argmax())


def aurocs(directions: Floats, twins: Twins) -> Floats:
    """AUROC [draw, layer] of projections on directions [draw, layer, d]."""
    both = np.concatenate([twins.harmful, twins.harmless])  # [2 pair, layer, d]
    scores = np.einsum("pld,sld->slp", both, directions, optimize=True)
    n = len(twins.categories)
    ranks = rankdata(scores, axis=-1)[..., :n].sum(-1)
    return (ranks - n * (n + 1) / 2) / (n * n)


def balanced_signs(pairs: int, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Signs [draw, pair], as many -1 as 1 in each row (one more 1 if odd): a null without a mean difference."""
    row = np.where(np.arange(pairs) % 2 == 0, 1.0, -1.0)
    return np.stack([rng.permutation(row) for _ in range(draws)])
