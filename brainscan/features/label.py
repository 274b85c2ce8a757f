"""Labels: what a feature seems to fire on, proposed on one half of a survey and scored on the other.

Two labellers stand behind one protocol: ``EvidenceLabeller`` here needs no language model and proposes
a few checkable clauses; ``brainscan.features.ask`` asks one. A label is a proposal until its score says
how well a reader who has only the label can tell where the feature fires.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from brainscan.core.evidence import Record
from brainscan.features.clauses import KINDS, Bools, Clause, Sight, any_holds, in_words
from brainscan.features.examples import Windows
from brainscan.features.index import FeatureIndex
from brainscan.features.words import NONE, Words, look

_MOST_CLAUSES = 20
_MOST_CANDIDATES = 60
_GAIN = 0.005
_WORTH = 0.58


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
    the window" by at least half a point on the lesson. What does not reach 58 % stays without a label.
    """

    name = "evidence"

    def __init__(self, index: FeatureIndex) -> None:
        self.words: Words = look(index.vocabulary)

    def propose(self, lesson: Lesson) -> Label:
        """Up to 20 clauses, or an empty label."""
        firing, silent = Sight(lesson.firing, self.words), Sight(lesson.silent, self.words)
        chosen: list[Clause] = []
        if len(lesson.firing) >= 4 and len(lesson.silent) >= 4:
            chosen = _greedy(_candidates(firing), firing, silent)
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


def _greedy(candidates: list[Clause], firing: Sight, silent: Sight) -> list[Clause]:
    hits = np.array([firing.holds(c).any(1) for c in candidates], bool).reshape(-1, len(firing.windows))
    alarms = np.array([silent.holds(c).any(1) for c in candidates], bool).reshape(-1, len(silent.windows))
    # A clause that holds at the firing token explains more than one that holds elsewhere in the window.
    at_token = np.array([(firing.holds(c) & (firing.windows.values > 0)).any(1) for c in candidates], bool)
    hits &= at_token.reshape(hits.shape)
    chosen: list[int] = []
    caught, alarmed = np.zeros(hits.shape[1], bool), np.zeros(alarms.shape[1], bool)
    best = 0.5
    while len(candidates) and len(chosen) < _MOST_CLAUSES:
        scores = ((caught | hits).mean(1) + 1 - (alarmed | alarms).mean(1)) / 2
        pick = int(scores.argmax())
        if scores[pick] < best + _GAIN:
            break
        chosen.append(pick)
        best, caught, alarmed = float(scores[pick]), caught | hits[pick], alarmed | alarms[pick]
    return [candidates[i] for i in chosen] if best >= _WORTH else []
