"""The protocol of a probe, and the checks on what it is handed."""

from __future__ import annotations

from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainscan.core.errors import UsageError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@runtime_checkable
class Probe(Protocol):
    """Reads one concept out of activations. Learned attributes end in ``_``."""

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Learn from activations [n, d] and labels [n] (true = the concept is there); returns itself.

        Raises:
            UsageError: the shapes disagree, a value is not finite, or a class is missing.
        """
        ...

    def score(self, x: ArrayLike) -> Floats:
        """One score a row of activations [n, d], higher = more of the concept.

        Raises:
            UsageError: not fitted yet, another width than in ``fit``, or a value is not finite.
        """
        ...


def checked_training(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Bools]:
    """Activations as float64 [n, d] and labels as bool [n].

    Raises:
        UsageError: the shapes disagree, a value is not finite, or a class is missing.
    """
    data, labels = _matrix(x), np.asarray(y).astype(bool)
    if labels.shape != (data.shape[0],):
        raise UsageError(
            f"There are {data.shape[0]} rows of activations and labels of shape {list(labels.shape)}.",
            "Give one label a row.",
        )
    if labels.all() or not labels.any():
        raise UsageError("A probe needs rows of both classes and was given one.", "Give positives and negatives.")
    return data, labels


def checked_rows(x: ArrayLike, probe: Any, learned: str) -> Floats:
    """Activations [n, d] that fit what the probe has learned in its attribute ``learned`` (last axis d).

    Raises:
        UsageError: the probe is not fitted, the width is another, or a value is not finite.
    """
    if not hasattr(probe, learned):
        raise UsageError(f"This {type(probe).__name__} has not been fitted.", "Call fit(x, y) first.")
    data, width = _matrix(x), getattr(probe, learned).shape[-1]
    if data.shape[1] != width:
        raise UsageError(
            f"The probe was fitted on activations of width {width} and is given {data.shape[1]}.",
            "Score activations of the same site of the same kind of model.",
        )
    return data


def _matrix(x: ArrayLike) -> Floats:
    data = np.asarray(x, dtype=np.float64)
    if data.ndim != 2 or 0 in data.shape:
        raise UsageError(f"Activations must be [rows, width] and are {list(data.shape)}.", "Give at least one row.")
    if not np.isfinite(data).all():
        raise UsageError("The activations hold values that are not finite.", "Check the model's weights for NaN.")
    return data
