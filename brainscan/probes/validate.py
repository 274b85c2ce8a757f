"""Is a probe's score worth anything? Held-out scores, and the nulls that they must beat.

Everything is cross-validated by template: a fold is one wording, and a probe never meets the wording
that it is judged on. The nulls refit the mean-difference probe hundreds of times; that is affordable
because a direction in the span of the training rows needs only their products (``dual_scores``).

Sources: control tasks and selectivity, Hewitt & Liang (arXiv 1909.03368), section 2; covariance-matched
random directions instead of isotropic ones, since activations are far from round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from brainscan.core.errors import UsageError
from brainscan.core.statistics import auroc
from brainscan.probes.ensemble import LayerEnsemble
from brainscan.probes.mean_difference import TINY, standard
from brainscan.probes.protocol import Bools, Floats, Probe


@dataclass(frozen=True)
class Labelled:
    """Activations with labels and the wording that each row came from."""

    x: Floats  # [n, layer, d]
    y: Bools  # [n]
    templates: NDArray[np.int_]  # [n]
    votes: tuple[int, ...] = ()
    """Indices of the layers that make up the ensemble; all of them when empty."""

    def ensemble(self, scores: Floats) -> Floats:
        """Mean over the voting layers of scores [..., layer]."""
        return scores[..., list(self.votes)].mean(-1) if self.votes else scores.mean(-1)

    def folds(self) -> Iterator[tuple[Bools, Bools]]:
        """Masks (training, held out) [n], one pair a template, in ascending order.

        Raises:
            UsageError: there is one template only, or leaving one out leaves a class empty.
        """
        for template in np.unique(self.templates):
            held = self.templates == template
            if held.all() or len(np.unique(self.y[~held])) < 2:
                raise UsageError(
                    "Leaving one template out leaves nothing of one class to learn from.",
                    "Give at least two templates, each with positives and negatives.",
                )
            yield ~held, held


@dataclass(frozen=True)
class Null:
    """What probes that cannot know the concept reach: AUROCs under a null."""

    aurocs: Floats  # [draw] of the layer ensemble
    by_layer: Floats  # [draw, layer]

    @property
    def median(self) -> float:
        """Middle of the null, about 0.5."""
        return float(np.median(self.aurocs))

    @property
    def high(self) -> float:
        """95th percentile: an AUROC below it is no better than chance."""
        return float(np.quantile(self.aurocs, 0.95))

    def band(self) -> Floats:
        """5th and 95th percentile of each layer [2, layer]."""
        return np.quantile(self.by_layer, [0.05, 0.95], axis=0)


def held_out_scores(factory: Callable[[], Probe], data: Labelled) -> Floats:
    """Scores [n, layer] by probes that never met the row's template; ``data.ensemble`` averages them.

    Raises:
        UsageError: too few templates, or a value that is not finite.
    """
    scores = np.empty(data.x.shape[:2])
    for train, held in data.folds():
        ensemble = LayerEnsemble(factory).fit(data.x[train], data.y[train])
        scores[held] = ensemble.by_layer(data.x[held])
    return scores


def auroc_of(scores: Floats, labels: Bools) -> float:
    """AUROC of scores [n] for labels [n]: 0.5 is chance, 1 perfect."""
    return auroc(scores[labels], scores[~labels])


def selectivity(observed: float, null: Null) -> float:
    """How far an AUROC lies above the median of its null: 0 is nothing, 0.5 the most there can be."""
    return observed - null.median


def shuffled_labels(data: Labelled, draws: int, rng: np.random.Generator) -> Null:
    """Null of mean-difference probes fitted to, and judged by, labels shuffled within each template."""
    labels = np.stack([_shuffled(data.y, data.templates, rng) for _ in range(draws)])  # [draw, n]

    def weights(train: Bools) -> Floats:
        chosen = labels[:, train]
        positive, negative = chosen.sum(1, keepdims=True), (~chosen).sum(1, keepdims=True)
        return np.where(chosen, 1 / positive, -1 / negative)

    return _null(data, labels, weights)


def random_directions(data: Labelled, draws: int, rng: np.random.Generator) -> Null:
    """Null of directions drawn from N(0, covariance of the training rows), turned to fit the training labels."""
    gauss = rng.normal(size=(draws, data.y.size))

    def weights(train: Bools) -> Floats:
        return gauss[:, train]

    return _null(data, np.tile(data.y, (draws, 1)), weights)


def dual_scores(train: Floats, labels: Bools, rows: Floats, weights: Floats) -> Floats:
    """Scores [draw, row] along many directions at once, each a weighted sum of the standardised training rows.

    Args:
        train: activations of one layer [m, d].
        labels: labels of the training rows under each draw [draw, m]; they place 0 and the sign.
        rows: activations to score [n, d].
        weights: weight of each training row in each direction [draw, m].
    """
    mean, scale = standard(train)
    z, q = (train - mean) / scale, (rows - mean) / scale
    inside, outside = weights @ (z @ z.T), weights @ (z @ q.T)  # [draw, m], [draw, n]
    positive = (inside * labels).sum(1) / labels.sum(1)
    negative = (inside * ~labels).sum(1) / (~labels).sum(1)
    sign = np.where(positive >= negative, 1.0, -1.0) / np.maximum(inside.std(1), TINY)
    return (outside - ((positive + negative) / 2)[:, None]) * sign[:, None]


def false_alarm_threshold(clean: Floats, rate: float = 0.05) -> float:
    """The lowest threshold that at most this share of clean scores [n] lies strictly above."""
    ordered = np.sort(clean)
    return float(ordered[ordered.size - 1 - int(rate * ordered.size)])


def _null(data: Labelled, labels: Bools, weights: Callable[[Bools], Floats]) -> Null:
    scores = np.empty((*labels.shape, data.x.shape[1]))  # [draw, n, layer]
    for train, held in data.folds():
        mixed = weights(train)
        for layer in range(data.x.shape[1]):
            x = data.x[:, layer].astype(np.float64)
            scores[:, held, layer] = dual_scores(x[train], labels[:, train], x[held], mixed)
    by_layer = np.stack([_aurocs(scores[:, :, layer], labels) for layer in range(scores.shape[-1])], 1)
    return Null(_aurocs(data.ensemble(scores), labels), by_layer)


def _aurocs(scores: Floats, labels: Bools) -> Floats:
    """AUROC of each row of scores [draw, n] for its labels: all draws ranked in one call."""
    ranks, positive = rankdata(scores, axis=1), labels.sum(1)
    negative = labels.shape[1] - positive
    return ((ranks * labels).sum(1) - positive * (positive + 1) / 2) / (positive * negative)


def _shuffled(y: Bools, templates: NDArray[np.int_], rng: np.random.Generator) -> Bools:
    out = y.copy()
    for template in np.unique(templates):
        rows = np.flatnonzero(templates == template)
        out[rows] = y[rng.permutation(rows)]
    return out
