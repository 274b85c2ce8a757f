"""A survey on disk: which feature fired on which token of which text, and how strongly. No torch.

An inverted index: the firings of feature f are the slice ``offsets[f]:offsets[f + 1]`` of ``where`` (flat
positions, row * context + column) and ``values``. The folder's ``features.json`` is written last.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from brainscan.core.errors import RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.files import folder_atomic

MANIFEST, VOCABULARY, LABELS = "features.json", "vocabulary.json", "labels.json"
SCHEMA = "brainscan.features/1"

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]


class About(Record):
    """What was surveyed."""

    schema_: Literal["brainscan.features/1"] = SCHEMA
    subject: str
    subject_sha256: str
    dictionary: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    source: str
    source_sha256: str
    n_features: int
    context: int
    counted: int
    """Tokens that count: the first of each row and special tokens do not."""


@dataclass(frozen=True)
class Logits:
    """What each feature writes, through the final norm and the output matrix; empty arrays without it."""

    raised: Ints  # [n_features, n] token ids, most raised first
    raised_by: Floats  # [n_features, n] logits, for a code whose decoder row has norm 1, mean over the vocabulary 0
    lowered: Ints
    lowered_by: Floats


@dataclass(frozen=True)
class Neighbours:
    """The features whose decoder rows point most alike."""

    features: Ints  # [n_features, n]
    cosines: Floats  # [n_features, n] -1..1


@dataclass(frozen=True)
class FeatureIndex:
    """An opened survey; arrays are memory-mapped where they come from disk."""

    about: About
    tokens: Ints  # [row, context] token ids, texts in their order
    counts: NDArray[np.bool_]  # [row, context] whether a token counts
    offsets: Ints  # [n_features + 1]
    where: Ints  # [firings] flat positions, ascending within a feature
    values: Floats  # [firings] > 0
    logits: Logits
    neighbours: Neighbours
    vocabulary: tuple[str, ...] = field(repr=False)
    """The text of every token id."""

    def firings(self, feature: int) -> tuple[Ints, Floats]:
        """Flat positions and values of one feature.

        Raises:
            UsageError: there is no such feature.
        """
        self.check(feature)
        part = slice(int(self.offsets[feature]), int(self.offsets[feature + 1]))
        return np.asarray(self.where[part]), np.asarray(self.values[part])

    def check(self, feature: int) -> None:
        """Refuse a number that is no feature.

        Raises:
            UsageError: there is no such feature.
        """
        if not 0 <= feature < self.about.n_features:
            raise UsageError(f"There is no feature {feature}.", f"The features are 0 to {self.about.n_features - 1}.")

    @cached_property
    def rates(self) -> Floats:
        """Share of counted tokens on which each feature fires [n_features], 0 to 1."""
        return np.diff(self.offsets) / max(self.about.counted, 1)

    @cached_property
    def maxima(self) -> Floats:
        """Largest value of each feature [n_features]; 0 for one that never fired."""
        out = np.zeros(self.about.n_features)
        alive = np.flatnonzero(np.diff(self.offsets))
        if len(alive):
            out[alive] = np.maximum.reduceat(np.asarray(self.values), np.asarray(self.offsets)[alive])
        return out

    def text(self, ids: Ints | list[int]) -> list[str]:
        """The text of each token."""
        return [self.vocabulary[int(i)] for i in ids]

    def alive(self) -> Ints:
        """Features that fired at least once."""
        return np.flatnonzero(np.diff(self.offsets))


_ARRAYS = ("tokens", "counts", "offsets", "where", "values")
_LOGITS = ("raised", "raised_by", "lowered", "lowered_by")
_NEIGHBOURS = ("features", "cosines")


def write_index(index: FeatureIndex, folder: Path) -> None:
    """Write the folder, whole or not at all; an older survey there goes, with its labels.

    Raises:
        StorageError: the folder holds something else, or the disk refused.
    """
    arrays = {name: getattr(index, name) for name in _ARRAYS}
    arrays |= {f"logits.{name}": getattr(index.logits, name) for name in _LOGITS}
    arrays |= {f"neighbours.{name}": getattr(index.neighbours, name) for name in _NEIGHBOURS}
    with folder_atomic(folder, MANIFEST) as part:
        for name, array in arrays.items():
            np.save(part / f"{name}.npy", array, allow_pickle=False)
        (part / VOCABULARY).write_text(json.dumps(index.vocabulary), encoding="utf-8")
        (part / MANIFEST).write_text(index.about.model_dump_json(indent=1), encoding="utf-8")


def read_about(folder: Path) -> About:
    """What a survey is of, without its arrays.

    Raises:
        RecordError: there is none, or it is broken.
    """
    if not (Path(folder) / MANIFEST).is_file():
        raise RecordError(f"{folder} holds no survey of features.", "Make one with: brainscan features survey")
    try:
        return About.model_validate_json((Path(folder) / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise RecordError(f"The survey in {folder} is broken.", "Make it again: brainscan features survey") from error


def read_index(folder: Path) -> FeatureIndex:
    """Open a survey.

    Raises:
        RecordError: there is none, or it is broken.
    """
    folder = Path(folder)
    about = read_about(folder)
    try:
        vocabulary = tuple(map(str, json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))))
        index = FeatureIndex(
            about,
            **{name: _load(folder, name) for name in _ARRAYS},
            logits=Logits(*(_load(folder, f"logits.{name}") for name in _LOGITS)),
            neighbours=Neighbours(*(_load(folder, f"neighbours.{name}") for name in _NEIGHBOURS)),
            vocabulary=vocabulary,
        )
        _check(index)
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise RecordError(f"The survey in {folder} is broken.", "Make it again: brainscan features survey") from error
    return index


def _load(folder: Path, name: str) -> Any:
    return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)


def _check(index: FeatureIndex) -> None:
    """Arrays agree with each other, so that no later index leads outside.

    Raises:
        ValueError: they do not.
    """
    n, about = index.tokens.size, index.about
    offsets, where = np.asarray(index.offsets), index.where
    ids = [index.tokens, index.logits.raised, index.logits.lowered]
    sound = (
        index.tokens.shape == index.counts.shape
        and index.tokens.ndim == 2
        and index.tokens.shape[1] == about.context
        and offsets.shape == (about.n_features + 1,)
        and offsets[0] == 0
        and offsets[-1] == len(where) == len(index.values)
        and bool((np.diff(offsets) >= 0).all())
        and (not len(where) or (int(where.min()) >= 0 and int(where.max()) < n))
        and all(not x.size or (int(x.min()) >= 0 and int(x.max()) < len(index.vocabulary)) for x in ids)
    )
    if not sound:
        raise ValueError("the arrays of the survey disagree")
