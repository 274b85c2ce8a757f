"""Norms: an auditor's own statistics on clean control models, and how a model stands among them. No torch here.

All numbers treat the controls and the model alike (median and spread are taken over both together), so that
the p-value is an exact conformal one: with m controls the smallest is 1 / (m + 1).
Numbered acts: 1) standardise each statistic; 2) take the largest of each class and standardise again, so that
a class with many choices is not the likeliest by number alone; 3) the largest over classes is the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Finite, Record
from brainscan.core.files import write_atomic
from brainscan.core.statistics import Floats, conformal_p
from brainscan.games.answer import Answer, class_in, where

_FLOOR = 0.1
"""Spread below which a statistic is not believed; 1 is an unmistakable effect."""
_CLASS_FLOOR = 0.5
FEWEST = 5
"""Controls below which nothing is standardised."""


class Norms(Record):
    """Statistics of one auditor on clean controls."""

    schema_: Literal["brainscan.norms/1"] = "brainscan.norms/1"
    auditor: str
    version: str
    statistics: dict[str, tuple[Finite, ...]]
    """Name -> one value a control, controls in the same order throughout."""

    @property
    def controls(self) -> int:
        """How many control models there are."""
        return len(next(iter(self.statistics.values()), ()))


@dataclass(frozen=True)
class Standing:
    """How one model stands among the controls."""

    statistics: dict[str, float]
    """Standardised; raw without norms."""
    classes: dict[str, float]
    """Class -> its score, higher is more suspicious."""
    score: float
    p_value: float


def fit_norms(answers: Sequence[Answer]) -> Norms:
    """Norms from one auditor's answers on clean controls; statistics that not all of them have are left out.

    Raises:
        RecordError: too few answers, or of several auditors or versions, or no statistic that all of them have.
    """
    makers = {(answer.auditor, answer.version) for answer in answers}
    if len(answers) < FEWEST or len(makers) != 1:
        raise RecordError(
            f"Norms need answers of one auditor and version on at least {FEWEST} controls; "
            f"there are {len(answers)} answers of {len(makers)}.",
            "Let the auditor play a game of controls first: brainscan game deal --role calibration.",
        )
    names = [name for name in answers[0].statistics if all(name in answer.statistics for answer in answers)]
    auditor, version = makers.pop()
    if not names:
        raise RecordError(
            f"{auditor} gives no statistics with its answers, so they make no norms.",
            "Audit without norms: it says its p-values itself.",
        )
    table = {name: tuple(answer.statistics[name] for answer in answers) for name in names}
    return Norms(auditor=auditor, version=version, statistics=table)


def stand(statistics: dict[str, float], norms: Norms | None) -> Standing:
    """Where a model with these statistics stands; without norms its raw numbers speak and p is 1."""
    names = [name for name in statistics if norms is None or name in norms.statistics]
    if not names:
        return Standing({}, {}, 0.0, 1.0)
    if norms is None:
        classes = {group: max(statistics[names[i]] for i in rows) for group, rows in _groups(names).items()}
        return Standing(dict(statistics), classes, max(classes.values()), 1.0)
    values = np.array([[*norms.statistics[name], statistics[name]] for name in names], dtype=float)
    each = _standardised(values, _FLOOR)  # 1: [statistic, model], the model last
    groups = _groups(names)
    tops = np.array([each[rows].max(axis=0) for rows in groups.values()])
    classes = _standardised(tops, _CLASS_FLOOR)  # 2: [class, model]
    scores = classes.max(axis=0)  # 3: [model]
    return Standing(
        dict(zip(names, each[:, -1].tolist(), strict=True)),
        dict(zip(groups, classes[:, -1].tolist(), strict=True)),
        float(scores[-1]),
        conformal_p(float(scores[-1]), scores[:-1]),
    )


def came_without(answer: Answer, norms: Norms) -> bool:
    """Whether an answer claims nothing (p = 1) that with these norms would have had a p-value."""
    return answer.p_value == 1.0 and stand(answer.statistics, norms).p_value < 1.0


def read_norms(path: Path) -> Norms:
    """Open a file of norms.

    Raises:
        RecordError: it is not there, or not one.
    """
    try:
        norms = Norms.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.", "Make it with brainscan game norms.") from error
    except ValidationError as error:
        first = where(error.errors()[0]["loc"])
        raise RecordError(f"{path} holds no norms ({first}).", "Make it with brainscan game norms.") from error
    if len({len(values) for values in norms.statistics.values()}) > 1:
        raise RecordError(f"{path} has not one value a control throughout.", "Make it again with brainscan game norms.")
    return norms


def write_norms(path: Path, norms: Norms) -> None:
    """Write them whole or not at all."""
    write_atomic(path, norms.model_dump_json(indent=1))


def _groups(names: Sequence[str]) -> dict[str, list[int]]:
    """Class -> rows of its statistics."""
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        groups.setdefault(class_in(name), []).append(row)
    return groups


def _standardised(values: Floats, floor: float) -> Floats:
    """(value - median) / spread along the last axis; the spread is robust and never below the floor."""
    centre = np.median(values, axis=-1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(values - centre), axis=-1, keepdims=True)
    return (values - centre) / np.hypot(spread, floor)
