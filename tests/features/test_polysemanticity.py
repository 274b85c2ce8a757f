"""Neurons beside features: thresholds fire as often as asked, and units that are one thing win against mixtures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.features.polysemanticity import compare, mean_rate, neurons
from brainscan.features.survey import SurveyConfig, survey, survey_again
from brainscan.subject.phantom import phantom
from tests.features.planted import after_the, cities, endings, planted, stops
from tests.features.test_survey import SOURCE, dictionary

PURE = (stops, endings, after_the, cities)


def mixed(seed: int):
    """Fires on a hundred tokens of the vocabulary drawn at random: no one thing."""
    chosen = set(np.random.default_rng(seed).permutation(100)[:8].tolist())

    def fires(words: list[str], i: int) -> float:
        return 1.0 if sum(map(ord, words[i] + words[i - 1])) % 100 in chosen else 0.0

    return fires


def test_units_that_are_one_thing_win_against_mixtures() -> None:
    features, singles = planted(features=PURE), planted(features=tuple(mixed(i) for i in range(4)))
    found = compare(features, singles, sample=4)
    assert found.features.labelled == 4
    assert found.gain > 0.1 and found.gain_interval.lo > 0
    assert found.rate == pytest.approx(mean_rate(features))
    assert compare(features, features, sample=4).gain == 0


@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_a_neuron_fires_as_often_as_it_was_told_and_codes_are_its_values(rate: float) -> None:
    subject = phantom()
    rows = [[(7 * i + j) % 100 + 8 for j in range(40)] for i in range(20)]
    made = neurons(subject, "mlp_act.1", rows, rate)
    x = torch.cat([row[1:] for row in next(iter(capture(subject, rows, ["mlp_act.1"]).values())).rows])
    codes = made.encode(x)
    assert float((codes > 0).float().mean()) <= rate + 1 / len(x)
    positive = (x > 0).float().mean(0) > rate  # a neuron that is rarely positive fires less
    assert float((codes > 0).float().mean(0)[positive].mean()) == pytest.approx(rate, abs=0.01)
    assert torch.equal(codes[codes > 0], x[codes > 0])


def test_another_dictionary_is_surveyed_on_the_same_texts() -> None:
    subject = phantom()
    first = survey(subject, dictionary("relu"), SOURCE, SurveyConfig(tokens=1024, context=64))
    made = neurons(subject, "mlp_act.1", first.tokens.tolist(), 0.1)
    again = survey_again(first, subject, made, "neurons")
    assert np.array_equal(again.tokens, first.tokens) and np.array_equal(again.counts, first.counts)
    assert (again.about.dictionary, again.about.reads, again.about.n_features) == ("neurons", ("mlp_act.1",), 64)
    assert again.about.source_sha256 == first.about.source_sha256
