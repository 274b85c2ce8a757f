"""Statistics against known tables, properties and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.statistics import (
    auroc,
    bootstrap_interval,
    conformal_p,
    fisher_greater,
    holm,
    paired_sign_p,
    rate_interval,
)


@pytest.mark.parametrize(("n", "upper"), [(99, 0.0366), (299, 0.0123), (60, 0.0596)])
def test_no_hits_give_the_known_upper_bound(n: int, upper: float) -> None:
    assert rate_interval(0, n).hi == pytest.approx(upper, abs=2e-4)
    assert rate_interval(0, n).lo == 0.0


def test_a_rate_s_interval_covers_at_least_as_promised() -> None:
    rng = np.random.default_rng(0)
    for true in (0.03, 0.3, 0.7):
        draws = rng.binomial(40, true, 2000)
        covered = np.mean([rate_interval(int(k), 40).lo <= true <= rate_interval(int(k), 40).hi for k in draws])
        assert covered >= 0.95 - 0.01


@given(st.integers(0, 50), st.integers(0, 50))
def test_an_interval_holds_its_rate(hits: int, misses: int) -> None:
    n = hits + misses
    interval = rate_interval(hits, n)
    assert 0 <= interval.lo <= interval.hi <= 1
    if n:
        assert interval.lo <= hits / n <= interval.hi


def test_nineteen_controls_buy_five_percent() -> None:
    assert conformal_p(9.0, np.zeros(19)) == pytest.approx(0.05)
    assert conformal_p(-1.0, np.zeros(19)) == 1.0


def test_conformal_p_is_valid_under_exchangeability() -> None:
    rng = np.random.default_rng(1)
    alarms = [conformal_p(x[0], x[1:]) <= 0.1 for x in rng.normal(size=(4000, 40))]
    assert np.mean(alarms) <= 0.1 + 0.015


def test_whole_templates_are_resampled_together() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 25)
    templates = np.repeat(["a", "b", "c", "d"], 25).tolist()
    alone = bootstrap_interval(values, seed=0)
    together = bootstrap_interval(values, templates, seed=0)
    assert together.hi - together.lo > 3 * (alone.hi - alone.lo)
    assert "templates" in together.method


def test_a_bootstrap_repeats_with_its_seed_and_is_exact_for_constants() -> None:
    values = np.random.default_rng(2).normal(size=30)
    assert bootstrap_interval(values, seed=5) == bootstrap_interval(values, seed=5)
    assert bootstrap_interval(np.zeros(9), seed=0).lo == bootstrap_interval(np.zeros(9), seed=0).hi == 0.0


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=20), st.lists(st.integers(-5, 5), min_size=1, max_size=20))
def test_auroc_counts_pairs(positive: list[int], negative: list[int]) -> None:
    pairs = [(p > q) + 0.5 * (p == q) for p in positive for q in negative]
    assert auroc(positive, negative) == pytest.approx(np.mean(pairs))


def test_auroc_of_nothing_is_not_a_number() -> None:
    assert np.isnan(auroc([], [1.0]))


def test_exact_tests_know_their_tables() -> None:
    assert fisher_greater(5, 5, 0, 5) == pytest.approx(1 / 252)
    assert paired_sign_p(5, 0) == pytest.approx(1 / 32)
    assert paired_sign_p(0, 0) == 1.0


def test_holm_keeps_the_order_given() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
