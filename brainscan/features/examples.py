"""Examples of a feature: its strongest, some of every strength, and some where it stays silent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainscan.core.evidence import Record
from brainscan.features.index import FeatureIndex, Floats, Ints

WINDOW = 32
"""Tokens of a window: what a labeller and a judge see at once."""


class Example(Record):
    """A stretch of text with the feature's value on each token."""

    tokens: tuple[str, ...]
    values: tuple[float, ...]
    """One a token; 0 where it does not fire."""
    peak: int
    """Index of the strongest token."""
    position: int
    """Flat position of the first token in the survey, as an address."""

    @property
    def value(self) -> float:
        """The value at the peak."""
        return self.values[self.peak]


class Histogram(Record):
    """How often a feature fires how strongly."""

    edges: tuple[float, ...]
    """One more than counts."""
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """Stretches of ``WINDOW`` tokens that tile the rows, with the feature's values on them."""

    numbers: Ints  # [n] which windows of the survey
    ids: Ints  # [n, WINDOW] token ids
    values: Floats  # [n, WINDOW]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: Ints) -> Windows:
        """Some of them."""
        return Windows(self.numbers[rows], self.ids[rows], self.values[rows])


def strongest(index: FeatureIndex, feature: int, count: int = 10, around: int = 16) -> tuple[Example, ...]:
    """The examples with the highest value, one a row of text, strongest first."""
    where, values = index.firings(feature)
    order = np.argsort(-values, kind="stable")
    rows = where[order] // index.about.context
    first = np.sort(np.unique(rows, return_index=True)[1])[:count]
    return tuple(_example(index, feature, int(where[order[i]]), around) for i in first)


def stratified(
    index: FeatureIndex, feature: int, *, bins: int = 5, each: int = 3, seed: int = 0, around: int = 16
) -> tuple[tuple[Example, ...], ...]:
    """Examples from equal slices of the feature's firings, from the strongest slice to the weakest.

    The strongest examples alone flatter a label: most firings are weak.
    """
    where, values = index.firings(feature)
    rng = np.random.default_rng([seed, feature])
    slices = np.array_split(np.argsort(-values, kind="stable"), bins)
    chosen = [np.sort(rng.choice(part, min(each, len(part)), replace=False)) for part in slices if len(part)]
    return tuple(tuple(_example(index, feature, int(where[i]), around) for i in part) for part in chosen)


def histogram(index: FeatureIndex, feature: int, bins: int = 30) -> Histogram:
    """Counts of values in equal steps from 0 to the largest; one empty bin for a feature that never fired."""
    _, values = index.firings(feature)
    counts, edges = np.histogram(values, bins=bins, range=(0.0, float(values.max()) if len(values) else 1.0))
    return Histogram(edges=tuple(map(float, edges)), counts=tuple(map(int, counts)))


def firing_windows(index: FeatureIndex, feature: int, lo: int, hi: int) -> Windows:
    """Windows numbered ``lo`` to ``hi`` on which the feature fires, weakest first."""
    where, values = index.firings(feature)
    numbers = _window_of(index, where)
    inside = (numbers >= lo) & (numbers < hi)
    found, start = np.unique(numbers[inside], return_index=True)
    if not len(found):
        return windows_of(index, feature, found)
    strength = np.maximum.reduceat(values[inside], start)
    return windows_of(index, feature, found[np.argsort(strength, kind="stable")])


def silent_windows(
    index: FeatureIndex, feature: int, lo: int, hi: int, count: int, rng: np.random.Generator
) -> Windows:
    """``count`` random windows numbered ``lo`` to ``hi`` on which the feature does not fire, or as many as there are."""
    where, _ = index.firings(feature)
    free = np.setdiff1d(np.arange(lo, hi), _window_of(index, where))
    return windows_of(index, feature, rng.permutation(free)[:count])


def windows_of(index: FeatureIndex, feature: int, numbers: Ints) -> Windows:
    """These windows, in this order, with one feature's values."""
    row, part = np.divmod(numbers, per_row(index))
    columns = part[:, None] * WINDOW + np.arange(WINDOW)
    ids = np.asarray(index.tokens)[row[:, None], columns] if len(numbers) else np.zeros((0, WINDOW), np.int32)
    flat = row[:, None] * index.about.context + columns
    return Windows(numbers, ids, _values_at(index, feature, flat))


def per_row(index: FeatureIndex) -> int:
    """Windows a row; a remainder at the end of a row is in none."""
    return index.about.context // WINDOW


def window_count(index: FeatureIndex) -> int:
    """Windows in all."""
    return index.tokens.shape[0] * per_row(index)


def _window_of(index: FeatureIndex, where: Ints) -> Ints:
    """Number of the window of each flat position; -1 in a row's remainder."""
    row, column = np.divmod(where, index.about.context)
    part = column // WINDOW
    return np.where(part < per_row(index), row * per_row(index) + part, -1)


def _values_at(index: FeatureIndex, feature: int, flat: Ints) -> Floats:
    where, values = index.firings(feature)
    if not len(where):
        return np.zeros(flat.shape)
    place = np.minimum(np.searchsorted(where, flat), len(where) - 1)
    return np.where(where[place] == flat, values[place], 0.0)


def _example(index: FeatureIndex, feature: int, position: int, around: int) -> Example:
    row, column = divmod(position, index.about.context)
    lo, hi = max(0, column - around), min(index.about.context, column + around + 1)
    flat = np.arange(row * index.about.context + lo, row * index.about.context + hi)
    values = _values_at(index, feature, flat)
    return Example(
        tokens=tuple(index.text(np.asarray(index.tokens[row, lo:hi]))),
        values=tuple(map(float, values)),
        peak=column - lo,
        position=int(flat[0]),
    )
