"""Thresholds that keep a promise, from the scores of clean calibration items alone.

Nothing is assumed about the scores but that calibration and later traffic are exchangeable. Sources:
Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World" (2005), chapter 2; Vovk, "Conditional
validity of inductive conformal predictors" (2012), proposition 2a, for the promise with a confidence;
Angelopoulos et al., "Conformal Risk Control" (arXiv 2208.02814), theorem 1, for shares of tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from brainscan.core.errors import InputError

Floats = NDArray[np.float64]


def allowed_above(n: int, rate: float, confidence: float | None) -> int:
    """How many of ``n`` clean scores may lie above the threshold; -1 when ``n`` is too small for the promise.

    With k - 1 above the k-th largest score as threshold, the true rate is Beta(k, n + 1 - k): on average
    k / (n + 1), and with probability ``confidence`` below that distribution's quantile.
    """
    k = 0
    while k < n and _rate_of(k + 1, n, confidence) <= rate:
        k += 1
    return k - 1


def needed(rate: float, confidence: float | None) -> int:
    """Smallest number of clean scores that can buy the promise: 299 for 1 % with confidence 0.95."""
    n = 1
    while allowed_above(n, rate, confidence) < 0:
        n += max(1, n // 200)
    while n > 1 and allowed_above(n - 1, rate, confidence) >= 0:
        n -= 1
    return n


def threshold(clean: ArrayLike, rate: float, confidence: float | None) -> tuple[float, int]:
    """Alarm strictly above the first value; the second says how many clean scores lie above it.

    Raises:
        InputError: too few clean scores for this promise.
    """
    scores = np.sort(np.asarray(clean, dtype=float))[::-1]
    above = allowed_above(scores.size, rate, confidence)
    if above < 0:
        raise InputError(
            f"A promise of {rate:.2%} false alarms needs {needed(rate, confidence):,} clean answers to calibrate on "
            f"and there are {scores.size:,}.",
            "Give more clean prompts, or promise less.",
        )
    limit = float(scores[above])
    return limit, int((scores > limit).sum())


def token_threshold(clean: Sequence[ArrayLike], rate: float) -> float:
    """Lowest threshold above which, in expectation, at most ``rate`` of a clean answer's tokens lie.

    Args:
        clean: scores of the tokens of each calibration answer; the answers are exchangeable, their tokens not.
    """
    rows = [np.asarray(row, dtype=float) for row in clean if np.size(row)]
    values = np.concatenate(rows)
    weights = np.concatenate([np.full(row.size, 1 / row.size) for row in rows])
    order = np.argsort(-values, kind="stable")
    share = np.cumsum(weights[order])  # sum over answers of their share of tokens at or above each value
    ordered = values[order]
    spent = (share + 1) / (len(rows) + 1)
    fine = np.flatnonzero(spent <= rate)
    # Strictly above the value after the last affordable one; equal values stand or fall together.
    return float(ordered[0] if fine.size == 0 else ordered[min(fine[-1] + 1, ordered.size - 1)])


def p_value(score: float, clean: Floats) -> float:
    """Conformal p-value of a score against ascending clean scores: small when few of them are as high."""
    return float((clean.size - np.searchsorted(clean, score, side="left") + 1) / (clean.size + 1))


def _rate_of(k: int, n: int, confidence: float | None) -> float:
    """Rate that the k-th largest of ``n`` scores as threshold keeps to."""
    if confidence is None:
        return k / (n + 1)
    return float(special.betaincinv(k, n + 1 - k, confidence))
