"""The card of a channel: everything that a page shows of it, with its pictures inside. No torch."""

from __future__ import annotations

import numpy as np

from brainscan.core.evidence import Finite, Record
from brainscan.features.channels.names import ChannelName
from brainscan.features.channels.selectivity import Selectivity
from brainscan.features.channels.table import ChannelTable
from brainscan.features.examples import Histogram

_BINS = 30


class Picture(Record):
    """A picture inside a record."""

    webp: str
    """Base64."""
    alt: str
    """What it is, in words: image, label, value, rank."""


class ClassLift(Record):
    """How strongly the channel answers to one label."""

    label: str
    mean: Finite
    n: int


class ChannelCard(Record):
    """One channel."""

    channel: str
    path: str
    label: str
    """The label that it was picked for; empty when it was asked for by address."""
    selectivity: Selectivity | None
    name: ChannelName
    histogram: Histogram
    """Of the peaks over all images."""
    lifts: tuple[ClassLift, ...]
    """Labels with the highest mean, highest first."""
    sees: str
    """Its receptive field, in words."""
    strongest: tuple[Picture, ...]
    slices: tuple[Picture, ...]
    """Random images from equal slices of all, strongest slice first."""
    towards: tuple[Picture, ...]
    """Made by optimisation, not photographs."""
    away: tuple[Picture, ...]
    painted: str = ""
    """How the optimised pictures were made: steps, size, seed, values."""


def histogram_of(table: ChannelTable, column: int) -> Histogram:
    """Counts of the channel's peaks, one an image."""
    values = np.asarray(table.peaks[:, column])
    lo = min(0.0, float(values.min()))
    counts, edges = np.histogram(values, bins=_BINS, range=(lo, max(float(values.max()), lo + 1e-6)))
    return Histogram(edges=tuple(map(float, edges)), counts=tuple(map(int, counts)))


def lifts_of(table: ChannelTable, column: int, count: int = 8) -> tuple[ClassLift, ...]:
    """Mean of the channel by label, of labels with at least one image, highest first."""
    values = np.asarray(table.means[:, column])
    labels, inverse, counts = np.unique(table.labels, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, values) / counts
    rows = [(float(m), str(label), int(n)) for m, label, n in zip(means, labels, counts, strict=True) if label]
    return tuple(ClassLift(label=label, mean=mean, n=n) for mean, label, n in sorted(rows, reverse=True)[:count])
