"""What leaks share: runs of tokens that come back word for word, more often than in the reference's leaks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brainscan.scan.trigger.leak import Leak

GRAM = 4
"""Tokens of the runs that are counted."""
LONGEST = 24
"""Tokens of the longest motif that is kept."""


@dataclass(frozen=True)
class Motif:
    """A run of tokens seen in several leaks."""

    ids: tuple[int, ...]
    text: str
    leaks: int
    """How many leaks hold its first tokens."""
    reference_leaks: int
    lift: float
    """ln((leaks + 1/2) / (reference leaks + 1/2)), nats; against one leak where there is no reference.
    0: no more often than expected."""


def motifs(
    leaks: Sequence[Leak], reference: Sequence[Leak] | None, text: Callable[[Sequence[int]], str]
) -> list[Motif]:
    """Repeated runs, longest reach first cut to ``LONGEST`` tokens, strongest lift first.

    A run counts once a leak. What merely repeats inside one leak is no motif.
    """
    ours = _counts(leaks)
    theirs = _counts(reference) if reference is not None else None
    found: dict[tuple[int, ...], Motif] = {}
    for leak in leaks:
        hot = [_lift(gram, ours, theirs) > 0 and ours[gram] > 1 for gram in _grams(leak.ids)]
        for start, stop in _runs(hot):
            ids = leak.ids[start : min(stop + GRAM - 1, start + LONGEST)]
            head = ids[:GRAM]
            if len(ids) > len(found[head].ids if head in found else ()):
                n = theirs[head] if theirs is not None else 0
                found[head] = Motif(ids, text(ids), ours[head], n, _lift(head, ours, theirs))
    return sorted(found.values(), key=lambda motif: (-motif.lift, -len(motif.ids), motif.ids))


def _lift(gram: tuple[int, ...], ours: Counter[tuple[int, ...]], theirs: Counter[tuple[int, ...]] | None) -> float:
    expected = 1 if theirs is None else theirs[gram]
    return math.log((ours[gram] + 0.5) / (expected + 0.5))


def _counts(leaks: Sequence[Leak]) -> Counter[tuple[int, ...]]:
    return Counter(gram for leak in leaks for gram in set(_grams(leak.ids)))


def _grams(ids: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [ids[i : i + GRAM] for i in range(len(ids) - GRAM + 1)]


def _runs(hot: Sequence[bool]) -> list[tuple[int, int]]:
    """(start, stop) of each stretch of True."""
    edges = [i for i, (a, b) in enumerate(zip([False, *hot], [*hot, False], strict=True)) if a != b]
    return list(zip(edges[::2], edges[1::2], strict=True))
