"""Names for channels: proposed from labels and captions on one half of the images, scored on the other half.

A name is a word that some images' labels or captions hold. Its score is the AUROC with which the channel
tells images with the word from those without, on images that did not choose it. A channel whose strongest
images fall into groups that have nothing in common is said to be polysemantic, and each group is shown.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from brainscan.core.evidence import Finite, Interval, Record
from brainscan.core.statistics import auroc, auroc_interval
from brainscan.features.channels.table import ChannelTable

LEAST = 3
"""Images of a word in each half."""
WORTH = 0.8
"""Held-out AUROC below which no name is given."""
TOP, GROUPS = 16, 3
_APART = 0.35
"""Mean cosine between two groups' images, less the mean inside, beyond which they have little in common."""
_WORD = re.compile(r"[a-z]{3,}")
_EMPTY = frozenset(("the", "and", "with", "from", "other", "for", "der", "des", "une", "you", "are", "its"))

Mask = NDArray[np.bool_]


class ChannelName(Record):
    """A proposed name with its score."""

    channel: str
    name: str
    """Empty when nothing told its images apart."""
    held_out: Finite
    """AUROC on the half that did not choose the name."""
    interval: Interval
    positives: int
    """Held-out images with the word."""
    groups: tuple[tuple[str, ...], ...]
    """Names of the strongest images, grouped by what the network's last layer sees in them; one group: one meaning."""

    @property
    def polysemantic(self) -> bool:
        """True when its strongest images fall into more than one group."""
        return len(self.groups) > 1


def words_of(table: ChannelTable) -> dict[str, Mask]:
    """Word -> images whose label or caption holds it."""
    found: dict[str, set[int]] = {}
    for i, image in enumerate(table.about.images):
        for word in set(_WORD.findall(f"{image.label} {image.caption}".lower().replace("_", " "))) - _EMPTY:
            found.setdefault(word, set()).add(i)
    n = len(table.about.images)
    masks = {}
    for word, rows in found.items():
        mask = np.zeros(n, bool)
        mask[list(rows)] = True
        masks[word] = mask
    return masks


def name_channel(
    table: ChannelTable, site: str, channel: int, words: dict[str, Mask] | None = None, seed: int = 0
) -> ChannelName:
    """Propose a name for a channel and score it.

    Args:
        words: from ``words_of``, when many channels are named.
    """
    values = np.asarray(table.means[:, table.column(site, channel)])
    first = np.random.default_rng(seed).permutation(len(values)) % 2 == 0
    best, area = "", 0.5
    for word, mask in (words_of(table) if words is None else words).items():
        if min((mask & first).sum(), (mask & ~first).sum()) < LEAST:
            continue
        if (found := auroc(values[first & mask], values[first & ~mask])) > area:
            best, area = word, found
    mask = (words_of(table) if words is None else words).get(best, np.zeros(len(values), bool))
    held = auroc(values[~first & mask], values[~first & ~mask]) if best else 0.5
    positives = int((~first & mask).sum())
    return ChannelName(
        channel=f"{site}/{channel}",
        name=best if held >= WORTH else "",
        held_out=held,
        interval=auroc_interval(held, positives, int((~first & ~mask).sum())),
        positives=positives,
        groups=_groups(table, values),
    )


def _groups(table: ChannelTable, values: NDArray[np.float32]) -> tuple[tuple[str, ...], ...]:
    """The strongest images, parted by average linkage over the last layer's means until no two groups are alike."""
    from scipy.cluster.hierarchy import fcluster, linkage

    rows = np.argsort(-values, kind="stable")[:TOP]
    last = table.about.sites[-1]
    seen = np.asarray(table.means[:, last.start : last.start + last.width])
    seen = seen[rows] - seen.mean(0)
    unit = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
    if len(rows) < 4:
        return (tuple(_shown(table, int(i)) for i in rows),)
    chosen = fcluster(linkage(unit, "average", metric="cosine"), GROUPS, "maxclust")
    kept = [np.flatnonzero(chosen == c) for c, n in Counter(chosen.tolist()).most_common() if n >= 3]
    alike = unit @ unit.T
    parted = len(kept) > 1 and all(
        _within(alike, a) - float(alike[np.ix_(a, b)].mean()) > _APART for i, a in enumerate(kept) for b in kept[:i]
    )
    parts = kept if parted else [np.arange(len(rows))]
    return tuple(tuple(_shown(table, int(rows[i])) for i in part) for part in parts)


def _within(alike: NDArray[np.float32], part: NDArray[np.int64]) -> float:
    inside = alike[np.ix_(part, part)]
    return float((inside.sum() - np.trace(inside)) / max(1, len(part) * (len(part) - 1)))


def _shown(table: ChannelTable, row: int) -> str:
    image = table.about.images[row]
    return image.caption or image.label or image.name
