"""Statistics against known tables, properties and simulation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from brainscan.core.statistics import (
    auroc,
    cluster_interval,
    cluster_rate_interval,
    conformal_p,
    fisher_greater,
    holm,
    of_the_chosen,
    paired_sign_p,
    rate_difference_interval,
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


def test_whole_templates_are_left_out_together() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 25)
    templates = np.repeat(["a", "b", "c", "d"], 25).tolist()
    alone = cluster_interval(values)
    together = cluster_interval(values, templates)
    assert together.hi - together.lo > 3 * (alone.hi - alone.lo)
    assert "4 templates" in together.method and "100 items" in alone.method


def test_the_jackknife_of_a_mean_is_the_t_interval_of_its_templates() -> None:
    means, templates = np.array([0.1, 0.4, 0.3, 0.7]), np.repeat(range(4), 6).tolist()
    noise = np.tile([-0.2, 0.2], 12)  # cancels out in each template
    made = cluster_interval(np.repeat(means, 6) + noise, templates)
    lo, hi = stats.t.interval(0.95, 3, means.mean(), stats.sem(means))
    assert (made.lo, made.hi) == (pytest.approx(lo), pytest.approx(hi))
    same = cluster_interval(np.repeat(means, 6) + noise, templates, lambda rows: float(rows.mean()))
    assert (same.lo, same.hi) == (pytest.approx(lo), pytest.approx(hi))


def _normal(rng: np.random.Generator, k: int, m: int) -> np.ndarray:
    return rng.normal(0.2, 0.3, (k, 1)) + rng.normal(0.0, 1.0, (k, m))


def _flips(rng: np.random.Generator, k: int, m: int) -> np.ndarray:
    """Items that go up with 0.3 and down with 0.1, those of one template rather alike."""
    up, down, _ = rng.dirichlet(np.array([0.3, 0.1, 0.6]) * 9, k).T[..., None]
    drawn = rng.random((k, m))
    return (drawn < up) * 1.0 - ((drawn >= up) & (drawn < up + down))


@pytest.mark.parametrize(("k", "m"), [(4, 12), (6, 8), (8, 12)])
@pytest.mark.parametrize(("draw", "within"), [(_normal, None), (_flips, (-1.0, 1.0))])
def test_few_templates_are_covered_as_promised(
    k: int,
    m: int,
    draw: Callable[[np.random.Generator, int, int], np.ndarray],
    within: tuple[float, float] | None,
) -> None:
    rng, templates = np.random.default_rng(3), np.repeat(range(k), m).tolist()
    made = [cluster_interval(draw(rng, k, m).ravel(), templates, within=within) for _ in range(800)]
    assert np.mean([each.lo <= 0.2 <= each.hi for each in made]) >= 0.92


@pytest.mark.parametrize(("k", "m"), [(8, 8), (4, 12), (8, 12)])
@pytest.mark.parametrize("alike", [0.001, 0.1, 0.3])
def test_a_rate_over_templates_that_go_one_way_is_covered(k: int, m: int, alike: float) -> None:
    rng, templates, more = np.random.default_rng(4), np.repeat(range(k), m).tolist(), (1 - alike) / alike
    covered, independent = [], []
    for _ in range(800):
        scores = (rng.random((k, m)) < rng.beta(0.2 * more, 0.8 * more, (k, 1))).ravel() * 1.0
        made, plain = cluster_rate_interval(scores.tolist(), templates), rate_interval(scores.sum(), k * m)
        assert made.lo <= plain.lo and plain.hi <= made.hi
        covered.append(made.lo <= 0.2 <= made.hi)
        independent.append(plain.lo <= 0.2 <= plain.hi)
    assert np.mean(covered) >= 0.92
    assert alike < 0.3 or np.mean(independent) < 0.8  # why it is needed


def test_a_rate_over_items_without_common_templates_is_exact() -> None:
    made = cluster_rate_interval([1.0, 0.0, 0.0, 1.0, 1.0], list("abcde"))
    assert made == rate_interval(3, 5)
    assert cluster_rate_interval([], []) == rate_interval(0, 0)
    assert cluster_rate_interval([1.0] * 9, ["a"] * 9).lo == rate_interval(1, 1).lo


@given(st.sampled_from([-1.0, 0.0, 1.0]), st.integers(1, 8), st.integers(1, 12))
def test_counts_that_are_all_equal_are_never_certain(value: float, k: int, m: int) -> None:
    made = cluster_interval([value] * (k * m), [i % k for i in range(k * m)], within=(-1.0, 1.0))
    assert -1 <= made.lo <= value <= made.hi <= 1
    assert made.hi - made.lo >= rate_interval(0, k * m).hi


def test_differences_of_zero_allow_what_zero_hits_allow() -> None:
    none, one = [0.0] * 40, [1.0] + [0.0] * 39
    assert cluster_interval(none, within=(-1.0, 1.0)).hi == pytest.approx(rate_interval(0, 40).hi)
    assert cluster_interval(one, within=(-1.0, 1.0)).hi > rate_interval(0, 40).hi  # one more never narrows it
    few = cluster_interval(none, [i % 4 for i in range(40)], within=(-1.0, 1.0))
    assert few.hi > 2 * rate_interval(0, 40).hi


def test_a_single_value_covers_as_its_source_promises() -> None:
    rng = np.random.default_rng(5)
    for mean in (0.0, 1.0, 2.0, 5.0):
        made = [cluster_interval([x]) for x in rng.normal(mean, 1.0, 2000)]
        assert np.mean([each.lo <= mean <= each.hi for each in made]) >= 0.94
    assert cluster_interval([1.0, 1.0], ["a", "a"], within=(-1.0, 1.0)).lo == -1.0


def test_a_choice_is_named_beside_its_interval() -> None:
    plain = rate_interval(3, 9)
    assert of_the_chosen(plain).method.endswith("not corrected for the choice")
    assert (of_the_chosen(plain).lo, of_the_chosen(plain).hi) == (plain.lo, plain.hi)


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


def test_the_interval_of_a_difference_of_rates_is_the_published_one() -> None:
    found = rate_difference_interval(56, 70, 48, 80)  # Newcombe 1998, table II (a), method 10
    assert (round(found.lo, 4), round(found.hi, 4)) == (0.0524, 0.3339)
    none = rate_difference_interval(0, 0, 3, 12)
    assert (none.lo, none.hi) == (-1.0, 1.0)
