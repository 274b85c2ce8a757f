"""The drift alarm is quiet while nothing changes, for as long as one likes, and loud when something does."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.monitor.drift import Drift


def test_exchangeable_traffic_hardly_ever_raises_it() -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for seed in range(100):
        drift = Drift(rng.normal(size=200).tolist(), rate=0.05, seed=seed)
        for score in rng.normal(size=300):
            drift.see(float(score))
        alarms += drift.alarmed
    assert alarms <= 10


@pytest.mark.parametrize("shift", [1.5, -1.5])
def test_a_shift_either_way_raises_it(shift: float) -> None:
    rng = np.random.default_rng(1)
    drift = Drift(rng.normal(size=300).tolist())
    for score in rng.normal(size=100):
        drift.see(float(score))
    assert not drift.alarmed
    for score in rng.normal(size=100) + shift:
        drift.see(float(score))
    assert drift.alarmed


def test_ties_are_broken_by_chance_and_not_taken_for_drift() -> None:
    drift = Drift([0.0] * 100)
    p = [drift.see(0.0) for _ in range(200)]
    assert not drift.alarmed
    assert 0.4 < np.mean(p) < 0.6


def test_an_alarm_stays_although_the_capital_falls() -> None:
    drift = Drift(np.linspace(0, 1, 100).tolist())
    while not drift.alarmed:
        drift.see(2.0)
    lowest = drift.capital
    for _ in range(20):
        drift.see(-1.0)
        lowest = min(lowest, drift.capital)
    assert lowest < 1 / drift.rate
    assert drift.alarmed
