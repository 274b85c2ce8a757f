"""The error bound holds as often as it says, on answers whose error rates are known."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.core.errors import InputError, UsageError
from brainscan.monitor.guarantee import Bound, Doubt, bound_p, calibrate, grid


def world(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Doubts in [0, 1], each the probability that its answer is wrong, cubed into mostly easy questions."""
    doubt = rng.uniform(size=n) ** 3
    return doubt, rng.uniform(size=n) < doubt


def true_error(limit: float) -> float:
    """Error rate among answers with doubt at most ``limit``: E[u^3 | u^3 <= limit] = limit / 4."""
    return limit / 4


def test_the_bound_is_broken_at_most_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    broken, coverage = 0, []
    for _ in range(400):
        doubt, wrong = world(1000, rng)
        limits = grid(doubt[:500], wrong[:500], Bound(0.05), 500)
        kept = calibrate(doubt[500:], wrong[500:], limits, Bound(0.05))
        broken += kept is not None and true_error(kept) > 0.05
        coverage.append(0.0 if kept is None else float(kept) ** (1 / 3))
    assert broken / 400 < 0.075
    assert np.mean(coverage) > 0.2  # at best 0.2 ** (1/3) = 0.58


def test_a_signal_that_knows_nothing_answers_nothing() -> None:
    rng = np.random.default_rng(1)
    answered = 0
    for _ in range(100):
        doubt, wrong = rng.uniform(size=300), rng.uniform(size=300) < 0.4
        limits = grid(doubt[:150], wrong[:150], Bound(0.05), 150)
        answered += calibrate(doubt[150:], wrong[150:], limits, Bound(0.05)) is not None
    assert answered <= 10


def test_a_p_value_is_the_binomial_one() -> None:
    assert bound_p(0, 59, 0.05) == pytest.approx(0.95**59)
    assert bound_p(0, 0, 0.05) == 1.0
    assert bound_p(0, 58, 0.05) > 0.05 > bound_p(0, 59, 0.05)


def test_testing_ends_at_the_first_threshold_that_fails() -> None:
    doubt = np.linspace(0, 1, 400)
    wrong = np.zeros(400, dtype=bool)
    wrong[150:190] = True
    assert calibrate(doubt, wrong, [0.3, 0.5, 0.9999], Bound(0.05)) == 0.3


@pytest.mark.parametrize(("text", "error"), [("error<=0.05", 0.05), (" error <= 10% ", 0.1), ("error<=.2", 0.2)])
def test_a_bound_is_read(text: str, error: float) -> None:
    assert Bound.parse(text).error == pytest.approx(error)


@pytest.mark.parametrize("text", ["", "error<0.05", "error<=5", "error<=0", "error<=100%", "wrong<=0.05"])
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no guarantee"):
        Bound.parse(text)


def test_doubt_finds_a_direction_and_survives_its_file() -> None:
    rng = np.random.default_rng(2)
    wrong = rng.uniform(size=200) < 0.4
    x = rng.normal(size=(200, 20))
    x[:, 4] += 3 * wrong
    numbers = rng.normal(size=(200, 4))
    doubt = Doubt().fit(x[:150], numbers[:150], wrong[:150])
    scores = doubt.score(x[150:], numbers[150:])
    assert scores[wrong[150:]].mean() > scores[~wrong[150:]].mean() + 1
    again = Doubt.of(doubt.arrays()).score(x[150:], numbers[150:])
    assert np.allclose(scores, again, atol=1e-3)


def test_too_few_answers_are_refused() -> None:
    with pytest.raises(InputError, match="too few to learn doubt"):
        Doubt().fit(np.zeros((10, 2)), np.zeros((10, 4)), np.arange(10) % 2 == 0)
