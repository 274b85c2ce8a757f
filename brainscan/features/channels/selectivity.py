"""Which channels answer to which label, and how far that could be chance.

Picking the best of tens of thousands of channels is a search, so it is paid for:

1. split: the images of each label are cut in two halves by the hash of their names
2. pick: on the first half, the channel and statistic with the highest AUROC; of equals, the largest gap of means
3. score: its AUROC on the second half, with an interval (Newcombe 2006, method 5)
4. control: 1 to 3 again with shuffled labels; the p-value counts shuffles that score as high
5. search: the best of all channels for shuffled labels on all images, what looking alone would find
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from brainscan.core.evidence import Finite, Interval, Record
from brainscan.core.statistics import auroc, auroc_interval, permutation_p
from brainscan.features.channels.table import ChannelTable, Statistic
from brainscan.subject.progress import Progress, silent

STATISTICS: tuple[Statistic, ...] = ("mean", "peak")
LEAST = 6
"""Images of a label below which it is not looked at: three to pick and three to score."""
SHUFFLES = 19
"""Shuffles of the labels: 19 buy a p-value of 0.05."""
_CHUNK = 2048

Mask = NDArray[np.bool_]


class Candidate(Record):
    """One channel proposed for a label."""

    channel: str
    """For example "channel.45/320"."""
    path: str
    statistic: Statistic
    picked: Finite
    """AUROC on the half that picked it: 0.5 is chance, 1 perfect."""
    held_out: Finite
    """AUROC on the other half."""
    interval: Interval
    """Of ``held_out``."""


class Selectivity(Record):
    """What was found for one label."""

    label: str
    positives: tuple[int, int]
    """Images of the label in the picking and in the scoring half."""
    negatives: tuple[int, int]
    candidates: tuple[Candidate, ...]
    """Best first, as picked; the first is the answer."""
    control: tuple[Finite, ...]
    """Held-out AUROC of channels picked the same way for shuffled labels."""
    search: tuple[Finite, ...]
    """Best AUROC of all channels for shuffled labels on all images."""
    best_on_all: Finite
    """Best AUROC of all channels for the true label on all images, beside ``search``; picked and scored on the same."""
    p_value: Finite
    """Share of shuffles, the truth included, whose held-out AUROC is at least the answer's."""
    seed: int


@dataclass(frozen=True)
class Halves:
    """Images to pick on and images to score on; images without a label are in neither."""

    pick: Mask
    score: Mask


def split_halves(table: ChannelTable, seed: int = 0) -> Halves:
    """Cut every label's images in two by the hash of their names, so that the cut does not depend on their order."""
    first = np.zeros(len(table.labels), bool)
    known = table.labels != ""
    for label in np.unique(table.labels[known]):
        mine = np.flatnonzero(table.labels == label)
        keys = [hashlib.sha256(f"{seed}/{table.about.images[i].name}".encode()).digest() for i in mine]
        ordered = mine[sorted(range(len(mine)), key=keys.__getitem__)]
        first[ordered[: (len(mine) + 1) // 2]] = True
    return Halves(first & known, ~first & known)


def find_selective(
    table: ChannelTable,
    labels: tuple[str, ...] = (),
    *,
    listed: int = 5,
    shuffles: int = SHUFFLES,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Selectivity, ...]:
    """The channels that answer to each label, with what the search would have found by chance.

    Labels that are not ``told_apart`` are left out: without images of another label there is nothing to tell.

    Args:
        labels: these; when empty, every label with at least ``LEAST`` images.
        listed: candidates kept for each label.
    """
    halves = split_halves(table, seed)
    chosen = tuple(label for label in labels or large_labels(table) if told_apart(table, label, halves))
    found = []
    for number, label in enumerate(chosen):
        progress(number / max(1, len(chosen)), f"channels for {label}")
        found.append(_one(table, label, halves, listed, shuffles, seed))
    return tuple(found)


def large_labels(table: ChannelTable) -> tuple[str, ...]:
    """Labels with at least ``LEAST`` images."""
    counts = dict(zip(*np.unique(table.labels, return_counts=True), strict=True))
    return tuple(str(label) for label, n in counts.items() if label and n >= LEAST)


def told_apart(table: ChannelTable, label: str, halves: Halves) -> bool:
    """Whether either half has images of the label and of another one."""
    truth = table.labels == label
    return all(bool((half & truth).any() and (half & ~truth).any()) for half in (halves.pick, halves.score))


def _one(table: ChannelTable, label: str, halves: Halves, listed: int, shuffles: int, seed: int) -> Selectivity:
    rng = np.random.default_rng([seed, *label.encode()])
    truth = table.labels == label
    trials = np.stack([truth, *(_shuffled(truth, halves, rng) for _ in range(shuffles))])  # [trial, image]
    known = halves.pick | halves.score
    picked, gaps = _aurocs(table, trials, halves.pick, with_gaps=True)
    best = _best_columns(picked, gaps, listed)  # [trial, listed]
    whole, _ = _aurocs(table, trials, known, with_gaps=False)
    scores = [_score(table, trials[t], halves.score, int(best[t, 0])) for t in range(len(trials))]
    candidates = tuple(_candidate(table, truth, halves, int(c), float(picked[0, c])) for c in best[0])
    return Selectivity(
        label=label,
        positives=(int(truth[halves.pick].sum()), int(truth[halves.score].sum())),
        negatives=(int((~truth)[halves.pick].sum()), int((~truth)[halves.score].sum())),
        candidates=candidates,
        control=tuple(scores[1:]),
        search=tuple(map(float, whole[1:].max(1))),
        best_on_all=float(whole[0].max()),
        p_value=permutation_p(scores[0], scores[1:]) if shuffles else 1.0,
        seed=seed,
    )


def _shuffled(truth: Mask, halves: Halves, rng: np.random.Generator) -> Mask:
    """As many positives in each half, elsewhere."""
    shuffled = np.zeros_like(truth)
    for half in (halves.pick, halves.score):
        inside = np.flatnonzero(half)
        shuffled[rng.choice(inside, int(truth[half].sum()), replace=False)] = True
    return shuffled


def _aurocs(
    table: ChannelTable, trials: Mask, within: Mask, *, with_gaps: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """AUROC and standardised gap of means for every trial and column [trial, statistic * channel]."""
    members = trials[:, within].astype(np.float32)  # [trial, image]
    n1 = members.sum(1, keepdims=True)
    n0 = members.shape[1] - n1
    areas, gaps = [], []
    for statistic in STATISTICS:
        values = table.statistic(statistic)
        for start in range(0, values.shape[1], _CHUNK):
            part = np.asarray(values[:, start : start + _CHUNK])[within]  # [image, channel]
            ranks = rankdata(part, axis=0).astype(np.float32)
            areas.append((members @ ranks - n1 * (n1 + 1) / 2) / (n1 * n0))
            if with_gaps:
                inside = members @ part / n1
                outside = (part.sum(0) - members @ part) / n0
                gaps.append((inside - outside) / np.maximum(part.std(0), 1e-9))
    return np.concatenate(areas, 1), np.concatenate(gaps, 1) if with_gaps else np.zeros((0, 0), np.float32)


def _best_columns(areas: NDArray[np.float32], gaps: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Columns by AUROC, of equals the one whose positives stand out furthest."""
    key = np.round(areas, 4) * 1e4 + gaps / (1 + np.abs(gaps))  # the gap only orders equals
    return np.argsort(-key, axis=1, kind="stable")[:, :count]


def _values(table: ChannelTable, column: int) -> tuple[Statistic, int, NDArray[np.float32]]:
    which, channel = divmod(column, table.means.shape[1])
    return STATISTICS[which], channel, np.asarray(table.statistic(STATISTICS[which])[:, channel])


def _score(table: ChannelTable, truth: Mask, within: Mask, column: int) -> float:
    values = _values(table, column)[2]
    return auroc(values[within & truth], values[within & ~truth])


def _candidate(table: ChannelTable, truth: Mask, halves: Halves, column: int, picked: float) -> Candidate:
    statistic, channel, _ = _values(table, column)
    site, index = table.address(channel)
    area = _score(table, truth, halves.score, column)
    inside = int(truth[halves.score].sum())
    return Candidate(
        channel=f"{site.site}/{index}",
        path=site.path,
        statistic=statistic,
        picked=picked,
        held_out=area,
        interval=auroc_interval(area, inside, int(halves.score.sum()) - inside),
    )
