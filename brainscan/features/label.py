"""Labels: what a feature seems to fire on, proposed on one half of a survey and scored on the other.

Two labellers stand behind one protocol: ``EvidenceLabeller`` here needs no language model and proposes
a few checkable clauses; ``brainscan.features.ask`` asks one. A label is a proposal until its score says
how well a reader who has only the label can tell where the feature fires.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from brainscan.core.evidence import Record
from brainscan.features.clauses import KINDS, Bools, Clause, Sight, any_holds, in_words
from brainscan.features.examples import Windows
from brainscan.features.index import FeatureIndex, Ints
from brainscan.features.words import NONE, Words, look

_MOST_CLAUSES = 20
_MOST_CANDIDATES = 60
_GAIN = 0.002
_FEW = 4
WORTH = 0.7
"""Balanced accuracy on text that clauses were not chosen on, from which a label is worth saying."""


class Label(Record):
    """What a feature seems to fire on."""

    feature: int
    labeller: str
    text: str
    """Empty when the labeller found nothing that it would say."""
    clauses: tuple[Clause, ...] = ()
    """What the text says, as something to check; empty for a label from a language model."""


@dataclass(frozen=True)
class Lesson:
    """What a labeller is shown: windows of the first half of a survey."""

    feature: int
    firing: Windows
    """Weakest first, every strength among them."""
    silent: Windows
    raised: tuple[str, ...] = ()
    """Tokens that the feature raises, most first."""


class Labeller(Protocol):
    """Proposes labels, and judges as a reader who has nothing but the label."""

    name: str

    def propose(self, lesson: Lesson) -> Label:
        """A label for what fires in the lesson."""
        ...

    def detects(self, label: Label, windows: Windows) -> Bools:
        """[window] whether the feature should fire somewhere in each window, going by the label."""
        ...

    def fits(self, label: Label, windows: Windows, marked: Bools) -> Bools:
        """[window] whether the marked tokens [window, token] are what the label speaks of."""
        ...


class EvidenceLabeller:
    """Labels from tokens, neighbours, endings, shapes and closed word classes; no language model.

    Clauses are added greedily while they raise the balanced accuracy of "one of them holds somewhere in
    the window" by at least a fifth of a point. How many are kept is checked across the halves of the lesson, which
    are different documents; a feature whose clauses do not reach ``WORTH`` there stays without a label.
    """

    name = "evidence"

    def __init__(self, index: FeatureIndex) -> None:
        self.words: Words = look(index.vocabulary)

    def propose(self, lesson: Lesson) -> Label:
        """Up to 20 clauses, or an empty label."""
        firing, silent = Sight(lesson.firing, self.words), Sight(lesson.silent, self.words)
        candidates = _candidates(firing)
        tally = _tally(candidates, firing, silent)
        count, accuracy = _length(tally, lesson.firing.numbers, lesson.silent.numbers)
        chosen = [candidates[i] for i in _greedy(tally, count)] if accuracy >= WORTH else []
        return Label(feature=lesson.feature, labeller=self.name, text=in_words(chosen), clauses=tuple(chosen))

    def detects(self, label: Label, windows: Windows) -> Bools:
        """Whether a clause holds at some token."""
        return np.asarray(np.any(any_holds(Sight(windows, self.words), label.clauses), axis=1), bool)

    def fits(self, label: Label, windows: Windows, marked: Bools) -> Bools:
        """Whether a clause holds at half of the marked tokens or more."""
        hits = np.count_nonzero(any_holds(Sight(windows, self.words), label.clauses) & marked, axis=1)
        return np.asarray(2 * hits >= np.maximum(np.count_nonzero(marked, axis=1), 1), bool)


def _candidates(firing: Sight) -> list[Clause]:
    """What is seen at firing tokens in at least two windows (or 1.5 %), most frequent first, for each kind."""
    fired = firing.windows.values > 0
    least = max(2, int(0.015 * len(firing.windows)))
    found: list[Clause] = []
    for kind in KINDS:
        laid = firing.laid(kind)
        # A word that came up is looked for before the first firing token.
        seen = np.cumsum(fired, axis=1) == 0 if kind == "recent" else fired
        rows, columns = np.nonzero(seen & (laid != NONE))
        pairs = np.unique(np.stack([laid[rows, columns], rows]), axis=1)  # once a window
        numbers, counts = np.unique(pairs[0], return_counts=True)
        order = np.argsort(-counts, kind="stable")[:_MOST_CANDIDATES]
        found += [firing.clause(kind, int(numbers[i])) for i in order if counts[i] >= least]
    return found


@dataclass(frozen=True, eq=False)
class _Tally:
    """Where each candidate clause holds."""

    explains: Bools  # [candidate, firing window] it holds at a firing token
    hits: Bools  # [candidate, firing window] it holds anywhere
    alarms: Bools  # [candidate, silent window] it holds anywhere

    def part(self, firing: Bools, silent: Bools) -> _Tally:
        """Some of the windows."""
        return _Tally(self.explains[:, firing], self.hits[:, firing], self.alarms[:, silent])

    def accuracy(self, chosen: Sequence[int]) -> float:
        """Balanced accuracy of "one of them holds somewhere in the window"."""
        rows = list(chosen)
        return float((self.hits[rows].any(0).mean() + 1 - self.alarms[rows].any(0).mean()) / 2)


def _tally(candidates: Sequence[Clause], firing: Sight, silent: Sight) -> _Tally:
    fired = firing.windows.values > 0
    explains = np.zeros((len(candidates), len(firing.windows)), bool)
    hits, alarms = np.zeros_like(explains), np.zeros((len(candidates), len(silent.windows)), bool)
    for i, clause in enumerate(candidates):
        held = firing.holds(clause)
        explains[i], hits[i], alarms[i] = (held & fired).any(1), held.any(1), silent.holds(clause).any(1)
    return _Tally(explains, hits, alarms)


def _length(tally: _Tally, firing: Ints, silent: Ints) -> tuple[int, float]:
    """How many clauses hold up, and their accuracy: chosen on one half of the lesson's text, checked on the other."""
    middle = np.median(np.concatenate([firing, silent]))
    accuracies = []
    for early in (True, False):
        learn = ((firing < middle) == early, (silent < middle) == early)
        check = (~learn[0], ~learn[1])
        if min(part.sum() for part in (*learn, *check)) < _FEW:
            return 0, 0.5
        path = _greedy(tally.part(*learn))
        seen = [tally.part(*check).accuracy(path[: n + 1]) for n in range(len(path))]
        accuracies.append([0.5, *seen, *[seen[-1] if seen else 0.5] * (_MOST_CLAUSES - len(seen))])
    mean = np.mean(accuracies, axis=0)
    best = int(mean.argmax())
    return best, float(mean[best])


def _greedy(tally: _Tally, most: int = _MOST_CLAUSES) -> list[int]:
    """Candidates in the order in which each raises the accuracy most.

    A clause that holds at the firing token explains more than one that holds elsewhere in the window.
    """
    chosen: list[int] = []
    caught, alarmed = np.zeros(tally.explains.shape[1], bool), np.zeros(tally.alarms.shape[1], bool)
    best = 0.5
    while len(tally.explains) and len(chosen) < most:
        scores = ((caught | tally.explains).mean(1) + 1 - (alarmed | tally.alarms).mean(1)) / 2
        pick = int(scores.argmax())
        if scores[pick] < best + _GAIN:
            break
        chosen.append(pick)
        best, caught, alarmed = float(scores[pick]), caught | tally.explains[pick], alarmed | tally.alarms[pick]
    return chosen
