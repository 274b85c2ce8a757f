"""Plans: what runs is printed before it runs, and a budget leaves things out aloud."""

from __future__ import annotations

import pytest

from brainscan.core.errors import PlanError
from brainscan.scan.instrument import INSTRUMENTS
from brainscan.scan.plan import Speed, make_plan, measure_speed
from brainscan.subject.phantom import phantom
from tests.scan.fakes import FakeInstrument, full_report

SPEED = Speed(read_per_second=10, write_per_second=1)
SUBJECT = phantom("llama")
INSTRUMENTS.add("cheap", FakeInstrument("cheap", full_report, tokens=100))
INSTRUMENTS.add("dear", FakeInstrument("dear", full_report, tokens=10_000))
INSTRUMENTS.add("deep", FakeInstrument("deep", full_report))


def test_estimates_follow_the_machine() -> None:
    plan = make_plan("standard", SUBJECT, None, only=("cheap",), speed=SPEED)
    assert plan.estimated_seconds == pytest.approx(1.1 * 100 / 10)
    twice = make_plan("standard", SUBJECT, SUBJECT, only=("cheap",), speed=SPEED)
    assert twice.estimated_seconds == pytest.approx(2 * plan.estimated_seconds)


def test_a_budget_leaves_out_what_would_pass_it_and_says_so() -> None:
    plan = make_plan("standard", SUBJECT, None, budget_minutes=1, only=("dear", "cheap"), speed=SPEED)
    dear, cheap = plan.steps
    assert "budget of 1 minutes" in dear.skip
    assert not cheap.skip


def test_an_instrument_may_sit_a_plan_out() -> None:
    assert "deep" not in [step.instrument for step in make_plan("quick", SUBJECT, None, speed=SPEED).steps]


def test_an_instrument_asked_for_by_name_is_not_dropped_without_a_word() -> None:
    with pytest.raises(
        PlanError, match=r"deep does not run under the plan quick\. Choose another --plan: standard, full"
    ):
        make_plan("quick", SUBJECT, None, only=("deep",), speed=SPEED)


@pytest.mark.parametrize("minutes", [float("inf"), float("nan")])
def test_a_budget_that_is_no_number_is_refused(minutes: float) -> None:
    with pytest.raises(PlanError, match="Give a number of minutes"):
        make_plan("quick", SUBJECT, None, budget_minutes=minutes, only=("cheap",), speed=SPEED)


def test_equal_plans_share_a_hash_and_seeds_part_them() -> None:
    def made(seed: int, speed: float) -> str:
        pace = Speed(read_per_second=speed, write_per_second=1)
        return make_plan("standard", SUBJECT, None, seed=seed, only=("cheap",), speed=pace).sha256()

    assert made(0, 10) == made(0, 999)
    assert made(0, 10) != made(1, 10)


def test_another_version_of_an_instrument_makes_another_plan() -> None:
    def made(version: int) -> str:
        plan = make_plan("standard", SUBJECT, None, only=("cheap",), speed=SPEED)
        steps = tuple(step.model_copy(update={"version": version}) for step in plan.steps)
        return plan.model_copy(update={"steps": steps}).sha256()

    assert made(1) != made(2)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(PlanError, match=r"no plan called 'tiny'\. Choose one of: quick, standard, full"):
        make_plan("tiny", SUBJECT, None, speed=SPEED)
    with pytest.raises(PlanError, match=r"Choose one of: behaviour"):
        make_plan("quick", SUBJECT, None, only=("nothing",), speed=SPEED)


def test_the_machine_is_measured() -> None:
    speed = measure_speed(SUBJECT)
    # Which of the two is larger depends on what else the machine does.
    assert min(speed.read_per_second, speed.write_per_second) > 0


def test_models_of_one_shape_are_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[object] = []
    monkeypatch.setattr("brainscan.scan.plan._SPEEDS", {})
    monkeypatch.setattr("brainscan.scan.plan.measure_speed", lambda subject: timed.append(subject) or SPEED)
    make_plan("standard", SUBJECT, None, only=("cheap",))
    make_plan("standard", SUBJECT, None, only=("cheap",))
    assert timed == [SUBJECT]
