"""How readable a concept is, with every baseline that the number must be read against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainscan.core.statistics import Floats
from brainscan.probes.ensemble import LayerEnsemble
from brainscan.probes.logistic import Logistic
from brainscan.probes.mean_difference import MeanDifference
from brainscan.probes.text_baseline import text_only_scores
from brainscan.probes.validate import (
    Labelled,
    Null,
    auroc_of,
    false_alarm_threshold,
    held_out_scores,
    random_directions,
    shuffled_labels,
)
from brainscan.scan.contrast.reading import Item


@dataclass(frozen=True)
class Judged:
    """One concept on one subject, by mean-difference probes that never met the wording they judge."""

    items: tuple[Item, ...]
    """The positive and negative items, in the order of ``scores``."""
    data: Labelled
    layers: tuple[int, ...]
    by_layer: Floats  # [item, layer] held-out standardised scores
    topical_items: tuple[Item, ...]
    topical: Floats  # [topical item] ensemble scores
    shuffled: Null
    random: Null
    logistic: float
    """AUROC of the logistic ensemble on the same folds."""
    text_whole: float
    """AUROC of character n-grams of the whole prompt, instruction included."""
    text_read: float
    """The same for the words that are read: 0.5 where the arms match."""

    @property
    def scores(self) -> Floats:
        """Held-out ensemble scores [item]."""
        return self.data.ensemble(self.by_layer)

    @property
    def auroc(self) -> float:
        """AUROC of the ensemble."""
        return auroc_of(self.scores, self.data.y)

    @property
    def layer_aurocs(self) -> Floats:
        """AUROC of each layer alone [layer]."""
        return np.array([auroc_of(column, self.data.y) for column in self.by_layer.T])

    @property
    def threshold(self) -> float:
        """Score that at most 5 % of the negative arm lies above."""
        return false_alarm_threshold(self.scores[~self.data.y])

    @property
    def best_layer(self) -> int:
        """The voting layer whose AUROC is highest."""
        votes = list(self.data.votes)
        return self.layers[votes[int(self.layer_aurocs[votes].argmax())]]


def labelled(items: Sequence[Item], x: Floats, votes: tuple[int, ...]) -> Labelled:
    """The two arms of ``items`` with their activations ``x`` [item, layer, d], topical controls left out."""
    arms = np.array([item.arm != "topical" for item in items])
    inside = [item for item in items if item.arm != "topical"]
    return Labelled(
        x[arms],
        np.array([item.arm == "positive" for item in inside]),
        np.array([item.template for item in inside]),
        votes,
    )


def judge(
    items: Sequence[Item],
    x: Floats,
    layers: Sequence[int],
    votes: tuple[int, ...],
    draws: int,
    rng: np.random.Generator,
) -> Judged:
    """Judge one concept.

    Args:
        items: both arms and the topical controls.
        x: their activations [item, layer, d].
        layers: which layers these are.
        votes: indices into ``layers`` of those that make up the ensemble.
        draws: how many draws each null gets.
        rng: draws them.
    """
    data = labelled(items, x, votes)
    inside = tuple(item for item in items if item.arm != "topical")
    topical = np.array([item.arm == "topical" for item in items])
    voting = Labelled(data.x[:, list(votes)], data.y, data.templates)
    whole = text_only_scores([f"{item.prompt}\n{item.content.begun}" for item in inside], data)
    read = text_only_scores([item.content.begun for item in inside], data)
    return Judged(
        items=inside,
        data=data,
        layers=tuple(layers),
        by_layer=held_out_scores(MeanDifference, data),
        topical_items=tuple(item for item in items if item.arm == "topical"),
        topical=LayerEnsemble(MeanDifference).fit(voting.x, data.y).score(x[topical][:, list(votes)]),
        shuffled=shuffled_labels(data, draws, rng),
        random=random_directions(voting, draws, rng),
        logistic=auroc_of(held_out_scores(Logistic, voting).mean(1), data.y),
        text_whole=auroc_of(whole, data.y),
        text_read=auroc_of(read, data.y),
    )
