"""The nulls are nulls, the closed form equals refitting, and no template leaks."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.core.errors import UsageError
from brainscan.probes.mean_difference import MeanDifference
from brainscan.probes.text_baseline import text_only_scores
from brainscan.probes.validate import (
    Labelled,
    auroc_of,
    dual_scores,
    false_alarm_threshold,
    held_out_scores,
    random_directions,
    selectivity,
    shuffled_labels,
)

TEMPLATES, COPIES, LAYERS, WIDTH = 8, 4, 3, 20


def planted(concept: float, *, template: float = 1.0, seed: int = 0) -> Labelled:
    """Rows of noise with a shift a template and, along one direction, a shift for the concept."""
    rng = np.random.default_rng(seed)
    templates = np.repeat(np.arange(TEMPLATES), 2 * COPIES)
    y = np.tile(np.repeat([True, False], COPIES), TEMPLATES)
    x = rng.normal(size=(y.size, LAYERS, WIDTH))
    x += template * rng.normal(size=(TEMPLATES, LAYERS, WIDTH))[templates]
    x[y, :, 2] += concept
    return Labelled(x, y, templates)


def held_out_auroc(data: Labelled) -> float:
    return auroc_of(data.ensemble(held_out_scores(MeanDifference, data)), data.y)


def test_a_planted_concept_is_found_and_its_absence_is_not() -> None:
    rng = np.random.default_rng(0)
    there, absent = planted(6.0), planted(0.0)
    null = shuffled_labels(there, 99, rng)
    assert held_out_auroc(there) > max(null.high, 0.9)
    assert selectivity(held_out_auroc(there), null) > 0.35
    assert held_out_auroc(absent) < shuffled_labels(absent, 99, rng).high + 0.1


def test_nulls_are_centred_on_chance() -> None:
    for draw in (shuffled_labels, random_directions):
        null = draw(planted(0.0, seed=3), 199, np.random.default_rng(1))
        assert abs(null.median - 0.5) < 0.06
        assert null.aurocs.shape == (199,) and null.by_layer.shape == (199, LAYERS)
        low, high = null.band()
        assert (low < 0.5).all() and (high > 0.5).all()


def test_a_template_specific_trick_does_not_generalise() -> None:
    """Each template separates its arms along a dimension of its own: in-sample perfect, held out useless."""
    data = planted(0.0, template=0.0)
    for template in range(TEMPLATES):
        data.x[(data.templates == template) & data.y, :, template] += 8.0
    inside = MeanDifference().fit(data.x[:, 0], data.y).score(data.x[:, 0])
    assert auroc_of(inside, data.y) > 0.9
    assert held_out_auroc(data) < 0.65


def test_the_closed_form_equals_refitting() -> None:
    data = planted(1.0)
    x, y = data.x[:, 0], data.y
    train = data.templates != 0
    labels = y[train][None]
    weights = np.where(labels, 1 / labels.sum(), -1 / (~labels).sum())
    fast = dual_scores(x[train], labels, x[~train], weights)[0]
    slow = MeanDifference().fit(x[train], y[train]).score(x[~train])
    assert np.allclose(fast, slow)


def test_only_voting_layers_count() -> None:
    data = planted(3.0)
    some = Labelled(data.x, data.y, data.templates, votes=(0, 2))
    scores = held_out_scores(MeanDifference, some)
    assert np.allclose(some.ensemble(scores), scores[:, [0, 2]].mean(1))


def test_one_template_cannot_be_cross_validated() -> None:
    data = planted(1.0)
    with pytest.raises(UsageError):
        held_out_scores(MeanDifference, Labelled(data.x, data.y, np.zeros(data.y.size, dtype=int)))


@pytest.mark.parametrize("n", [1, 10, 19, 20, 100, 399])
def test_the_threshold_keeps_its_promise(n: int) -> None:
    clean = np.random.default_rng(n).normal(size=n)
    assert (clean > false_alarm_threshold(clean)).mean() <= 0.05


def test_text_alone_reads_what_the_text_gives_away_and_no_more() -> None:
    data = planted(0.0)
    telling = ["say a lie now" if y else "say the fact now" for y in data.y]
    silent = [f"copy {i % COPIES}" for i in range(data.y.size)]
    assert auroc_of(text_only_scores(telling, data), data.y) == 1.0
    assert auroc_of(text_only_scores(silent, data), data.y) == 0.5
