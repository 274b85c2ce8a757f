"""Clauses: checkable statements about a token and its neighbourhood, of which a label without a language model is made.

A clause is a way of looking (``word``, ``after`` a word, ``ending3``, ...) and a value. A set of clauses
holds at a token if one of them does, and is written as words that say exactly what it checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from brainscan.core.evidence import Record
from brainscan.features.examples import Windows
from brainscan.features.index import Ints
from brainscan.features.words import NONE, Words

Bools = NDArray[np.bool_]

# clause -> (way of looking, tokens to the left)
_PLACES: dict[str, tuple[str, int]] = {
    "word": ("word", 0),
    "exact": ("exact", 0),
    "class": ("class", 0),
    "shape": ("shape", 0),
    "ending2": ("ending2", 0),
    "ending3": ("ending3", 0),
    "ending4": ("ending4", 0),
    "beginning3": ("beginning3", 0),
    "beginning4": ("beginning4", 0),
    "after": ("word", 1),
    "after class": ("class", 1),
    "after shape": ("shape", 1),
    "two after": ("word", 2),
    "before": ("word", -1),
    "before class": ("class", -1),
    "before shape": ("shape", -1),
}
_PAIR, _RECENT = "pair", "recent"
KINDS = (*_PLACES, _PAIR, _RECENT)

_SAID = {
    "word": "the tokens {}",
    "exact": "exactly the tokens {}",
    "class": "{}",
    "shape": "{}",
    "ending2": "words ending in {}",
    "ending3": "words ending in {}",
    "ending4": "words ending in {}",
    "beginning3": "words beginning with {}",
    "beginning4": "words beginning with {}",
    "after": "what follows {}",
    "after class": "what follows {}",
    "after shape": "what follows {}",
    "two after": "the second token after {}",
    "before": "what comes before {}",
    "before class": "what comes before {}",
    "before shape": "what comes before {}",
    _PAIR: "the second word of {}",
    _RECENT: "text in which {} came up",
}
_UNQUOTED = {"class", "shape", "after class", "after shape", "before class", "before shape"}


class Clause(Record):
    """One checkable statement."""

    kind: str
    """One of KINDS."""
    value: str
    second: str = ""
    """The second word of a pair."""


class Sight:
    """Windows with every way of looking laid out, so that clauses can be counted and checked quickly."""

    def __init__(self, windows: Windows, words: Words) -> None:
        self.windows, self.words = windows, words
        self._laid: dict[str, Ints] = {}

    def laid(self, kind: str) -> Ints:
        """[window, token] the number that a kind sees at each token, NONE where there is nothing."""
        if kind not in self._laid:
            self._laid[kind] = self._lay(kind)
        return self._laid[kind]

    def holds(self, clause: Clause) -> Bools:
        """[window, token] whether a clause holds. A word that came up counts for the tokens behind it."""
        number = self.number(clause)
        if number == NONE:
            return np.zeros(self.windows.ids.shape, bool)
        if clause.kind != _RECENT:
            return self.laid(clause.kind) == number
        here = self.laid("word") == number
        return np.cumsum(here, axis=1) - here > 0

    def number(self, clause: Clause) -> int:
        """The number behind a clause's value; NONE where the vocabulary has no such thing."""
        if clause.kind == _PAIR:
            a, b = (self._index("word", part) for part in (clause.value, clause.second))
            return NONE if NONE in (a, b) else a * len(self.words.names["word"]) + b
        way = "word" if clause.kind == _RECENT else _PLACES[clause.kind][0]
        return self._index(way, clause.value)

    def clause(self, kind: str, number: int) -> Clause:
        """The clause of a kind and a number that ``laid`` showed."""
        if kind == _PAIR:
            a, b = divmod(number, len(self.words.names["word"]))
            return Clause(kind=kind, value=self.words.names["word"][a], second=self.words.names["word"][b])
        way = "word" if kind == _RECENT else _PLACES[kind][0]
        return Clause(kind=kind, value=self.words.names[way][number])

    def _index(self, way: str, value: str) -> int:
        return self.words.numbers[way].get(value, NONE)

    def _lay(self, kind: str) -> Ints:
        if kind == _RECENT:
            return self.laid("word")
        if kind == _PAIR:
            first, second = self.laid("after"), self.laid("word")
            joined = first * len(self.words.names["word"]) + second
            return np.where((first == NONE) | (second == NONE), NONE, joined)
        way, left = _PLACES[kind]
        return _shifted(self.words.codes[way][self.windows.ids], left)


def any_holds(sight: Sight, clauses: Iterable[Clause]) -> Bools:
    """[window, token] whether one of the clauses holds."""
    out = np.zeros(sight.windows.ids.shape, bool)
    for clause in clauses:
        out |= sight.holds(clause)
    return out


def in_words(clauses: Sequence[Clause]) -> str:
    """Clauses as one line that says exactly what they check."""
    parts = []
    for kind in KINDS:
        values = [_shown(clause) for clause in clauses if clause.kind == kind]
        if values:
            parts.append(_one(_SAID[kind].format(_listed(kind, values)), len(values)))
    return "; ".join(parts)


def _shown(clause: Clause) -> str:
    text = f"{clause.value} {clause.second}" if clause.second else clause.value
    return text.replace("\n", "\\n").replace("\t", "\\t")


def _one(text: str, count: int) -> str:
    return text if count > 1 else text.replace("the tokens ", "the token ")


def _listed(kind: str, values: list[str]) -> str:
    if kind in _UNQUOTED:
        return ", ".join(values)
    return ", ".join(f'"{value}"' for value in values)


def _shifted(laid: Ints, left: int) -> Ints:
    """Each token sees what lies ``left`` tokens to its left; nothing beyond the window."""
    out = np.full_like(laid, NONE)
    if left > 0:
        out[:, left:] = laid[:, :-left]
    elif left < 0:
        out[:, :left] = laid[:, -left:]
    else:
        out[:] = laid
    return out
