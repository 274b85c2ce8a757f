import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.evidence import Interval, Measurement
from brainscan.core.statistics import rate_interval
from brainscan.scan.compare import ComparedRow, compare_scans
from brainscan.scan.record import Scan, StepResult
from tests.samples import sample_scan, sample_treated


def scan_with(*measurements: Measurement) -> Scan:
    step = StepResult(instrument="m", outcome="done", measurements=measurements)
    return sample_scan().model_copy(update={"steps": (step,)})


def measure(value: float, unit: str = "rate", n: int = 40, **more) -> Measurement:
    interval = rate_interval(round(value * n), n) if unit == "rate" else more.pop("interval", None)
    return Measurement(name="m.x", value=value, unit=unit, n=n, interval=interval, **more)


def row(before: Measurement, after: Measurement) -> ComparedRow:
    return compare_scans(scan_with(before), scan_with(after)).rows[0]


def test_two_scans_of_the_same_model_come_out_clean() -> None:
    comparison = compare_scans(sample_scan(), sample_scan())
    assert comparison.rows
    assert {r.word for r in comparison.rows} == {"within-noise"}
    assert all(r.why for r in comparison.rows)


@given(st.integers(0, 60), st.integers(0, 60))
def test_swapping_the_scans_mirrors_the_difference(a: int, b: int) -> None:
    first, second = measure(a / 60, n=60), measure(b / 60, n=60)
    there, back = row(first, second), row(second, first)
    assert there.interval is not None
    assert back.interval is not None
    assert there.difference == pytest.approx(-back.difference)
    assert there.interval.lo == pytest.approx(-back.interval.hi)
    assert there.interval.lo - 1e-12 <= there.difference <= there.interval.hi + 1e-12
    mirror = {"lower": "higher", "higher": "lower"}
    assert back.word == mirror.get(there.word, there.word)


def test_a_large_change_has_a_word_and_a_direction() -> None:
    assert (row(measure(0.9), measure(0.1)).word, row(measure(0.9), measure(0.1)).toward) == ("lower", "better")
    better = row(measure(0.1, higher_is="better"), measure(0.9, higher_is="better"))
    assert (better.word, better.toward) == ("higher", "better")
    assert row(measure(0.1, higher_is="neither"), measure(0.9, higher_is="neither")).toward == "neither"


def test_a_small_but_certain_change_is_within_noise() -> None:
    found = row(measure(0.50, n=1_000_000), measure(0.53, n=1_000_000))
    assert (found.word, "0.05" in found.why) == ("within-noise", True)


def test_a_large_but_uncertain_change_is_within_noise() -> None:
    found = row(measure(0.4, n=5), measure(0.6, n=5))
    assert (found.word, found.why) == ("within-noise", "The interval of the difference holds zero.")


def test_without_an_interval_a_sampled_number_cannot_be_told_and_an_exact_one_can() -> None:
    assert row(measure(1.0, "nats"), measure(3.0, "nats")).word == "cannot-tell"
    assert row(measure(1.0, "norm", n=0), measure(3.0, "norm", n=0)).word == "higher"


def test_units_that_differ_cannot_be_told() -> None:
    sure = Interval(lo=0.9, hi=1.1, method="jackknife t")
    assert row(measure(1.0, "nats", interval=sure), measure(0.5)).why == "The units differ: nats and rate."


def test_other_prompts_cannot_be_told() -> None:
    before, (after, _) = sample_scan(), sample_treated()
    other = after.model_copy(update={"plan": after.plan.model_copy(update={"texts_sha256": "00" * 32})})
    assert {r.word for r in compare_scans(before, other).rows} == {"cannot-tell"}


def other_step(scan: Scan, **changes: object) -> Scan:
    steps = [step.model_copy(update=changes) for step in scan.plan.steps]
    return scan.model_copy(update={"plan": scan.plan.model_copy(update={"steps": tuple(steps)})})


@pytest.mark.parametrize("changes", [{"version": 9}, {"settings": {"prompts": 999}}, {"texts_sha256": "f" * 64}])
def test_a_measurement_taken_in_another_way_cannot_be_told(changes: dict[str, object]) -> None:
    rows = compare_scans(sample_scan(), other_step(sample_scan(), **changes)).rows
    assert rows and {r.word for r in rows} == {"cannot-tell"}


def test_another_instrument_in_the_plan_takes_no_word_away() -> None:
    before = other_step(sample_scan(), texts_sha256="a" * 64)
    plan = before.plan.model_copy(update={"steps": before.plan.steps[:1], "texts_sha256": "b" * 64})
    comparison = compare_scans(before, before.model_copy(update={"plan": plan, "steps": before.steps[:1]}))
    assert comparison.rows and comparison.same_texts
    assert {r.word for r in comparison.rows} == {"within-noise"}


def test_what_only_one_scan_has_is_named() -> None:
    comparison = compare_scans(sample_scan(), sample_scan(reference=False))
    assert comparison.only_before == ("logits.kl.mean",)
    assert comparison.only_after == ()
