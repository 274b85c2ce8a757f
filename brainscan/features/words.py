"""What can be seen on a token without a model: its word, its shape, its endings, its simple part of speech."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from brainscan.features.index import Ints

CLASSES: dict[str, str] = {
    "articles": "a an the",
    "pronouns": "i you he she it we they me him her us them myself himself herself itself themselves one",
    "possessives": "my your his its our their mine yours hers ours theirs whose",
    "demonstratives": "this that these those such",
    "prepositions": "of in to for with on at by from into upon over under between through after before against "
    "about without within among toward towards during across behind beyond near",
    "conjunctions": "and or but nor yet so because although though while if unless until whereas",
    "forms of be": "be is are was were been being am",
    "auxiliaries": "have has had having do does did done",
    "modal verbs": "can could will would shall should may might must",
    "question words": "who whom which what where when why how",
    "negations": "not no never none nothing neither nor nobody without",
    "numbers in words": "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred "
    "thousand million billion",
    "quantifiers": "all some any many much more most few several each every both other another",
    "adverbs of time": "now then today always often soon already still again once ever later early",
}
"""A simple part of speech -> its words. Closed classes only: they can be listed."""

SHAPES: dict[str, str] = {
    "numbers": r"\s?\d+",
    "line breaks": r"\s*\n\s*",
    "words in capitals": r"\s?[A-Z]{2,}",
    "capitalised words": r"\s?[A-Z][a-z]+",
    "full stops": r"\s?[.!?]+",
    "commas": r"\s?,",
    "colons and semicolons": r"\s?[:;]",
    "quotation marks": r"\s?[\"'“”‘’`]+",
    "brackets": r"\s?[()\[\]{}<>]+",
    "dashes": r"\s?[-–—]+",
    "parts of words": r"[a-z]+",
    "single letters": r"\s?[A-Za-z]",
}
"""What a token looks like; the first that fits counts."""

NONE = -1


@dataclass(frozen=True, eq=False)
class Words:
    """One number a token of the vocabulary for each way to look at it; ``NONE`` where there is nothing to see."""

    names: dict[str, tuple[str, ...]]
    """Way of looking -> the text of each number."""
    codes: dict[str, Ints]
    """Way of looking -> [vocabulary]."""
    numbers: dict[str, dict[str, int]]
    """Way of looking -> text -> number."""


@lru_cache(maxsize=4)
def look(vocabulary: tuple[str, ...]) -> Words:
    """Look at every token of a vocabulary."""
    stripped = [piece.strip().lower() for piece in vocabulary]
    ways: dict[str, Callable[[int], str | None]] = {
        "word": lambda i: stripped[i] or None,
        "exact": lambda i: vocabulary[i] or None,
        "class": lambda i: _CLASS_OF.get(stripped[i]),
        "shape": lambda i: _shape(vocabulary[i]),
        "ending2": lambda i: _end(stripped[i], 2),
        "ending3": lambda i: _end(stripped[i], 3),
        "ending4": lambda i: _end(stripped[i], 4),
        "beginning3": lambda i: _beginning(stripped[i], 3),
        "beginning4": lambda i: _beginning(stripped[i], 4),
    }
    names: dict[str, tuple[str, ...]] = {}
    codes: dict[str, Ints] = {}
    every: dict[str, dict[str, int]] = {}
    for way, see in ways.items():
        numbers = every.setdefault(way, {})
        seen = [see(i) for i in range(len(vocabulary))]
        codes[way] = np.array([NONE if s is None else numbers.setdefault(s, len(numbers)) for s in seen], np.int64)
        names[way] = tuple(numbers)
    return Words(names, codes, every)


_CLASS_OF = {word: name for name, words in CLASSES.items() for word in words.split()}
_SHAPES = [(name, re.compile(pattern)) for name, pattern in SHAPES.items()]


def _shape(piece: str) -> str | None:
    return next((name for name, pattern in _SHAPES if pattern.fullmatch(piece)), None)


def _end(word: str, count: int) -> str | None:
    return word[-count:] if len(word) > count and word.isalpha() else None


def _beginning(word: str, count: int) -> str | None:
    return word[:count] if len(word) > count and word.isalpha() else None
