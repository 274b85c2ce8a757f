"""Examples: the strongest are the strongest, slices cover every strength, silent windows are silent."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.features.examples import (
    WINDOW,
    firing_windows,
    histogram,
    silent_windows,
    stratified,
    strongest,
    window_count,
    windows_of,
)
from tests.features.planted import CONTEXT, FEATURES, VOCABULARY, planted

INDEX = planted(rows=120)
DEAD = 5


def test_the_strongest_come_first_and_one_a_row() -> None:
    found = strongest(INDEX, 1, 10)
    values = [example.value for example in found]
    assert values == sorted(values, reverse=True)
    assert values[0] == np.float32(INDEX.maxima[1])
    assert len({example.position // CONTEXT for example in found}) == 10
    assert all(example.tokens[example.peak].endswith("ing") for example in found)
    assert all(value == 0 for e in found for t, value in zip(e.tokens, e.values, strict=True) if not t.endswith("ing"))


def test_slices_go_from_strong_to_weak() -> None:
    parts = stratified(INDEX, 2, bins=5, each=4, seed=1)
    assert [len(part) for part in parts] == [4] * 5
    means = [np.mean([e.value for e in part]) for part in parts]
    assert means == sorted(means, reverse=True)
    assert parts == stratified(INDEX, 2, bins=5, each=4, seed=1) != stratified(INDEX, 2, bins=5, each=4, seed=2)


def test_a_histogram_counts_every_firing() -> None:
    for feature in range(len(FEATURES)):
        bars = histogram(INDEX, feature)
        assert sum(bars.counts) == len(INDEX.firings(feature)[0]) and len(bars.edges) == len(bars.counts) + 1


def test_a_dead_feature_has_nothing_to_show() -> None:
    assert strongest(INDEX, DEAD) == () and stratified(INDEX, DEAD) == ()
    assert len(firing_windows(INDEX, DEAD, 0, window_count(INDEX))) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6), st.integers(0, 200), st.integers(0, 240))
def test_windows_are_rightly_sorted(feature: int, lo: int, hi: int) -> None:
    hi = min(max(lo, hi), window_count(INDEX))
    lo = min(lo, hi)
    firing = firing_windows(INDEX, feature, lo, hi)
    silent = silent_windows(INDEX, feature, lo, hi, 10_000, np.random.default_rng(0))
    assert sorted([*firing.numbers, *silent.numbers]) == list(range(lo, hi))
    assert (firing.values.max(1, initial=0) > 0).all() and not silent.values.any()
    peaks = firing.values.max(1, initial=0)
    assert (np.diff(peaks) >= 0).all()


def test_windows_hold_the_texts_own_tokens_and_values() -> None:
    found = windows_of(INDEX, 0, np.array([3, 0]))
    np.testing.assert_array_equal(found.ids[1], INDEX.tokens[0, :WINDOW])
    np.testing.assert_array_equal(found.ids[0], INDEX.tokens[1, WINDOW : 2 * WINDOW])
    stops = found.ids == VOCABULARY.index(".")
    stops[1, 0] = False  # the first token of a row does not count
    np.testing.assert_array_equal(found.values > 0, stops)
