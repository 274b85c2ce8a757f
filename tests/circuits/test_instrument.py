"""The circuit as an instrument of the scanner: it keeps the protocol's rules, and the full plan runs it."""

from __future__ import annotations

import pytest

from brainscan.core.errors import PlanError
from brainscan.core.evidence import Status
from brainscan.scan.conformance import check_instrument
from brainscan.scan.instrument import INSTRUMENTS, Examination
from brainscan.scan.instruments.circuit import INSTRUMENT, OVERLAP, Circuit
from brainscan.scan.plan import PLANS
from brainscan.scan.record import Step
from brainscan.subject.phantom import phantom

SIZES = {"requests": 16, "traced": 1, "nodes": 100, "tests": 5}


class Small(Circuit):
    """The same with less work."""

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        return {**SIZES} if plan == "full" else None


def test_it_keeps_the_rules_and_tells_what_changed() -> None:
    report = check_instrument(Small(), phantom("llama", seed=1), phantom("llama"))
    overlap = next(m for m in report.measurements if m.name == OVERLAP)
    assert 0 <= overlap.value < 1
    assert report.evidence[0].status in (Status.ATTRIBUTED, Status.INTERVENED)
    assert "Not in the reference's circuit" in report.evidence[0].summary


def test_the_same_model_has_nothing_to_trace() -> None:
    subject = phantom("llama")
    step = Step(instrument="circuit", title="", settings={**SIZES}, layers=(1,))
    report = INSTRUMENT.run(Examination(subject, subject, step, 0))
    assert not report.measurements
    assert "no change to trace" in report.notes[0]
    with pytest.raises(PlanError):
        INSTRUMENT.run(Examination(subject, None, step, 0))


def test_the_full_plan_alone_runs_it() -> None:
    assert "circuit" in INSTRUMENTS.names()
    assert [plan for plan in PLANS if INSTRUMENT.settings(plan) is not None] == ["full"]
