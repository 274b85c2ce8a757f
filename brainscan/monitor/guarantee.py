"""A bound on errors: answer or abstain, so that few of the answers given are wrong.

Numbered acts: 1) learn a signal of doubt on one part of the questions; 2) choose thresholds and the order in which
they are tried on that part too; 3) test them one after the other on the other part, and keep the last that passes.
The grid and its order owe nothing to act 3, and within it each test counts how many of the answers that would be
given are wrong: given the rest, that number is binomial. So with the stated confidence the error rate among the
answers given stays within the bound, for questions like these.

Sources: Angelopoulos, Bates, Candès, Jordan & Lei, "Learn then Test" (arXiv 2110.01052), fixed-sequence testing,
section 3; Laufer-Goldshtein, Fisch, Barzilay & Jaakkola (arXiv 2210.07913) for an order learned on a split.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from brainscan.core.errors import InputError, UsageError
from brainscan.core.statistics import rate_interval
from brainscan.monitor.record import Arrays, Guarantee
from brainscan.monitor.run import Row
from brainscan.probes.logistic import Logistic

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NUMBERS = ("log-probability, mean a token", "log-probability, least", "entropy at the first token", "length")
"""The plain numbers of a signal, beside the activations."""

PENALTY = 1e-3
"""Inverse strength of the probe's penalty, for some thousands of raw dimensions."""

LEAST = 30
"""Answers that doubt can be learned from."""

_FOLDS, _STEPS = 5, 40


@dataclass(frozen=True)
class Bound:
    """What is promised about the answers given."""

    error: float = 0.05
    confidence: float = 0.95

    @classmethod
    def parse(cls, text: str) -> Bound:
        """Read "error<=0.05".

        Raises:
            UsageError: it is no such text, or no rate between 0 and 1.
        """
        found = re.fullmatch(r"\s*error\s*<=\s*(0?\.\d+|\d+(?:\.\d+)?\s*%)\s*", text)
        value = float(found[1].rstrip("% ")) / (100 if found[1].endswith("%") else 1) if found else 0.0
        if not 0 < value < 1:
            raise UsageError(f"{text!r} is no guarantee.", "Write error<=0.05, or error<=5%.")
        return cls(value)


def plain_numbers(row: Row) -> list[float]:
    """``NUMBERS`` of one answer; an empty answer counts as one of no probability."""
    log_p = row.log_p or [-20.0]
    return [float(np.mean(log_p)), min(log_p), (row.entropies or [10.0])[0], float(len(row.log_p))]


class Doubt:
    """How likely an answer is wrong: a probe of activations, put together with the plain numbers.

    Learned: ``weights_`` [w], ``offset_`` of the probe; ``mean_``, ``scale_``, ``direction_`` [5], ``bias_`` of the
    logistic regression over the probe's score and ``NUMBERS``.

    Args:
        c: inverse strength of the probe's penalty.
    """

    def __init__(self, c: float = PENALTY) -> None:
        self.c = c

    def fit(self, activations: Floats, numbers: Floats, wrong: Bools) -> Doubt:
        """Learn from activations [n, w], numbers [n, 4] and labels [n].

        The probe's scores that the second step learns from are cross-fitted, else it would trust them too much.

        Raises:
            InputError: fewer than 30 answers, or fewer than 5 right or wrong ones.
        """
        check_labels(wrong)
        crossed = np.empty(wrong.size)
        for held in folds(wrong.size):
            crossed[held] = self._probe(activations[~held], wrong[~held]).score(activations[held])
        probe = self._probe(activations, wrong)
        self.weights_ = probe.direction_ / probe.scale_ / probe.spread_
        self.offset_ = float(probe.mean_ @ self.weights_ + probe.offset_ / probe.spread_)
        joined = np.column_stack([crossed, numbers])
        second = Logistic(1.0).fit(joined, wrong)
        self.mean_, self.scale_ = second.mean_, second.scale_
        self.direction_, self.bias_ = second.direction_, second.offset_
        return self

    def score(self, activations: ArrayLike, numbers: ArrayLike) -> Floats:
        """Log-odds [n] that an answer is wrong: below 0 it is likelier right."""
        probe = np.atleast_2d(np.asarray(activations)) @ self.weights_ - self.offset_
        joined = np.column_stack([probe, np.atleast_2d(np.asarray(numbers))])
        return (joined - self.mean_) / self.scale_ @ self.direction_ - self.bias_

    def arrays(self) -> Arrays:
        """What has to be kept, for a monitor's file."""
        second = np.stack([self.mean_, self.scale_, self.direction_])  # [3, 5]
        numbers = np.array([self.offset_, self.bias_])
        named = {"weights": self.weights_, "second": second, "numbers": numbers}
        return {name: array.astype(np.float32) for name, array in named.items()}

    @classmethod
    def of(cls, arrays: Arrays) -> Doubt:
        """The signal that ``arrays`` kept."""
        doubt = cls()
        doubt.weights_ = arrays["weights"].astype(np.float64)
        doubt.mean_, doubt.scale_, doubt.direction_ = arrays["second"].astype(np.float64)
        doubt.offset_, doubt.bias_ = (float(number) for number in arrays["numbers"])
        return doubt

    def _probe(self, x: Floats, wrong: Bools) -> Logistic:
        return Logistic(self.c).fit(x, wrong)


def check_labels(wrong: Bools) -> None:
    """There is enough to learn from.

    Raises:
        InputError: there is not.
    """
    fewest = min(int(wrong.sum()), int((~wrong).sum()))
    if wrong.size < LEAST or fewest < _FOLDS:
        raise InputError(
            f"{wrong.size} questions with {int(wrong.sum())} wrong answers are too few to learn doubt from.",
            f"Give at least {2 * LEAST} questions, some that the model answers rightly and some wrongly.",
        )


def folds(n: int) -> list[Bools]:
    """Masks [n] of what is held out, five of them, dealt in turn."""
    return [np.arange(n) % _FOLDS == fold for fold in range(_FOLDS)]


def bound_p(wrong: int, answered: int, error: float) -> float:
    """P-value of "the error rate is above ``error``": the chance of so few wrong answers if it were just that."""
    return 1.0 if answered == 0 else float(special.bdtr(wrong, answered, error))


def grid(doubt: Floats, wrong: Bools, bound: Bound, calibration_n: int) -> list[float]:
    """Thresholds in the order in which they are to be tested: from the most promising one, looser and looser.

    Args:
        doubt, wrong: of the part that the signal was learned on, doubts cross-fitted.
        calibration_n: size of the part that will test: a threshold is promising if it would pass there.
    """
    shares = np.linspace(1 / _STEPS, 1, _STEPS)
    limits = np.quantile(doubt, shares)
    given = doubt[None, :] <= limits[:, None]  # [threshold, n]
    rates = ((given & wrong).sum(1) + 0.5) / (given.sum(1) + 1)  # a little pessimistic about few answers
    expected = [
        bound_p(round(rate * share * calibration_n), round(share * calibration_n), bound.error)
        for rate, share in zip(rates, shares, strict=True)
    ]
    return [float(limit) for limit in limits[int(np.argmin(expected)) :]]


def calibrate(doubt: Floats, wrong: Bools, limits: list[float], bound: Bound) -> float | None:
    """The loosest threshold that passes before the first that fails; None when the first fails."""
    kept = None
    for limit in limits:
        given = doubt <= limit
        if bound_p(int((given & wrong).sum()), int(given.sum()), bound.error) > 1 - bound.confidence:
            break
        kept = limit
    return kept


def guarantee_of(
    doubt: Floats, wrong: Bools, threshold: float | None, bound: Bound, answer_tokens: int, signal: str
) -> Guarantee:
    """The record of a calibration."""
    given = doubt <= threshold if threshold is not None else np.zeros(doubt.size, dtype=bool)
    return Guarantee(
        error=bound.error,
        confidence=bound.confidence,
        threshold=threshold,
        calibration_n=doubt.size,
        answered=int(given.sum()),
        wrong=int((given & wrong).sum()),
        coverage=rate_interval(int(given.sum()), doubt.size),
        answer_tokens=answer_tokens,
        signal=signal,
        method="Learn then Test, fixed sequence of thresholds, exact binomial",
    )
