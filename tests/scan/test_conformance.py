"""The conformance suite accepts a good instrument and names what is wrong with a bad one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brainscan.core.errors import PlanError
from brainscan.core.evidence import Evidence
from brainscan.scan.conformance import check_instrument
from brainscan.scan.instrument import Examination, Report
from brainscan.subject.phantom import phantom
from tests.scan.fakes import FakeInstrument, full_report, rate

SUBJECT = phantom("llama")


def test_a_good_one_passes_and_its_report_comes_back() -> None:
    report = check_instrument(FakeInstrument("good", full_report), SUBJECT)
    assert report.measurements[0].name == "good.found"


def restless(examination: Examination, seen: list[int] = []) -> Report:  # noqa: B006
    seen.append(1)
    return Report(measurements=(rate("bad.found", len(seen) % 2, 4),))


def impossible(examination: Examination) -> Report:
    return Report(measurements=(rate("bad.found", 1, 4).model_copy(update={"value": 1.5}),))


def stray(examination: Examination) -> Report:
    return Report(evidence=(Evidence(kind="x", summary="x", measurement="other.thing", strength=1),))


def unpainted(examination: Examination) -> Report:
    return replace(full_report(examination), arrays={})


def foreign(examination: Examination) -> Report:
    return Report(measurements=(rate("other.found", 1, 4),))


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (restless, "two runs of the same examination differ"),
        (impossible, "is not between 0 and 1"),
        (stray, r"points at other\.thing"),
        (unpainted, "names an array that is not there"),
        (foreign, "does not start with bad"),
    ],
)
def test_a_bad_one_is_told_why(look: object, said: str) -> None:
    with pytest.raises(PlanError, match=f"not an instrument yet: .*{said}"):
        check_instrument(FakeInstrument("bad", look), SUBJECT)  # type: ignore[arg-type]


def test_one_that_needs_a_reference_says_so() -> None:
    with pytest.raises(PlanError, match="needs a reference"):
        check_instrument(FakeInstrument("bad", full_report, needs_reference=True), SUBJECT)
