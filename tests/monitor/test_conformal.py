"""Thresholds keep their promises on scores whose distribution is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.errors import InputError
from brainscan.monitor import conformal


def test_the_known_prices_of_promises() -> None:
    assert conformal.needed(0.01, 0.95) == 299
    assert conformal.needed(0.01, None) == 99
    assert conformal.needed(0.05, 0.95) == 59
    assert conformal.allowed_above(499, 0.01, 0.95) == 1
    assert conformal.allowed_above(298, 0.01, 0.95) == -1


@pytest.mark.parametrize(("confidence", "most"), [(0.95, 0.075), (None, 0.6)])
def test_the_rate_is_kept_as_often_as_promised(confidence: float | None, most: float) -> None:
    rng = np.random.default_rng(0)
    broken = []
    for _ in range(1000):  # uniform scores: the true rate above a threshold t is 1 - t
        limit, _ = conformal.threshold(rng.uniform(size=150), 0.05, confidence)
        broken.append(1 - limit > 0.05)
    assert np.mean(broken) < most


def test_on_average_the_rate_is_the_promise() -> None:
    rng = np.random.default_rng(1)
    rates = [1 - conformal.threshold(rng.uniform(size=99), 0.05, None)[0] for _ in range(2000)]
    assert 0.045 < np.mean(rates) <= 0.052


def test_too_few_answers_are_refused_with_their_price() -> None:
    with pytest.raises(InputError, match="needs 299 clean answers"):
        conformal.threshold(np.arange(200), 0.01, 0.95)


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=9), min_size=1, max_size=30))
def test_few_tokens_of_an_answer_lie_above_the_token_threshold(rows: list[list[int]]) -> None:
    limit = conformal.token_threshold(rows, 0.2)
    share = np.mean([np.mean(np.array(row) > limit) for row in rows])
    assert (share * len(rows) + 1) / (len(rows) + 1) <= 0.2 or share == 0


def test_token_thresholds_keep_the_expected_share_although_tokens_hang_together() -> None:
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(300):
        rows = [rng.normal() + 0.1 * rng.normal(size=rng.integers(1, 20)) for _ in range(101)]
        limit = conformal.token_threshold(rows[:100], 0.1)
        shares.append(np.mean(rows[100] > limit))
    assert np.mean(shares) <= 0.1 + 2 * np.std(shares) / np.sqrt(len(shares))


def test_a_p_value_counts_ties_against_the_alarm() -> None:
    clean = np.array([1.0, 2.0, 3.0, 4.0])
    assert conformal.p_value(5.0, clean) == 0.2
    assert conformal.p_value(4.0, clean) == 0.4
    assert conformal.p_value(0.0, clean) == 1.0
