"""Calibrations: frozen, hashed, for one base only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainscan.core.errors import RecordError
from brainscan.diagnosis.calibration import Calibration, Control, calibrate, read_calibration, write_calibration
from brainscan.scan.record import Scan, StepResult
from tests.samples import sample_scan


def whole_scan() -> Scan:
    """The sample, as if none of its steps had failed."""
    scan = sample_scan()
    return scan.model_copy(update={"steps": tuple(step for step in scan.steps if step.outcome == "done")})


def two(scan: Scan) -> list[Scan]:
    """The scan, and the same of another model."""
    other = scan.subject.model_copy(update={"name": "other", "weights_sha256": "ab" * 32})
    return [scan, scan.model_copy(update={"subject": other})]


def test_it_survives_the_disk_with_its_hash(tmp_path: Path) -> None:
    made = calibrate(two(whole_scan()))
    write_calibration(tmp_path / "c.json", made)
    back = read_calibration(tmp_path / "c.json")
    assert back == made and back.sha256() == made.sha256()
    assert made.fits(whole_scan())


def test_a_changed_value_changes_the_hash() -> None:
    made = calibrate(two(whole_scan()))
    first = made.controls[0]
    touched = made.model_copy(
        update={"controls": (first.model_copy(update={"values": {**first.values, "x.y": 1.0}}), *made.controls[1:])}
    )
    assert touched.sha256() != made.sha256()


def test_scans_that_do_not_belong_together_are_refused() -> None:
    one = whole_scan()
    other = one.model_copy(update={"plan": one.plan.model_copy(update={"name": "another"})})
    for scans in ([], [one, other], [one, one.model_copy(update={"reference": None})]):
        with pytest.raises(RecordError, match="share one reference, one plan and one set of texts"):
            calibrate(scans)


def test_one_model_does_not_count_as_two_controls() -> None:
    with pytest.raises(RecordError, match="more than once"):
        calibrate([whole_scan(), *two(whole_scan())])


def test_a_control_with_a_failed_step_is_refused() -> None:
    one, other = two(whole_scan())
    failed = StepResult(instrument="situations", outcome="failed", reason="out of memory")
    with pytest.raises(RecordError, match=r"other \(situations\)"):
        calibrate([one, other.model_copy(update={"steps": (*other.steps, failed)})])


def test_models_of_two_sizes_are_no_controls_of_one_base() -> None:
    one, other = (scan.model_copy(update={"reference": None}) for scan in two(whole_scan()))
    larger = other.subject.model_copy(update={"n_layers": 99})
    with pytest.raises(RecordError, match="share one reference"):
        calibrate([one, other.model_copy(update={"subject": larger})])


def test_looking_at_many_measurements_together_keeps_the_false_alarm_rate() -> None:
    rng = np.random.default_rng(0)
    names = [f"x.{i}" for i in range(6)]
    alarms = 0
    for _ in range(400):
        table = rng.normal(size=(20, 6))
        controls = tuple(
            Control(name=str(i), weights_sha256="0" * 64, values=dict(zip(names, row, strict=True)))
            for i, row in enumerate(table[1:].tolist())
        )
        made = Calibration(base_sha256="a", tokenizer_sha256="b", plan="quick", parts={}, controls=controls)
        found = made.compare_together(dict(zip(names, table[0].tolist(), strict=True)), {})
        alarms += found is not None and found.p_value <= 0.05
    assert alarms / 400 <= 0.05 + 0.025


def of(values: list[float]) -> Calibration:
    controls = tuple(Control(name=str(i), weights_sha256="0" * 64, values={"x": v}) for i, v in enumerate(values))
    return Calibration(base_sha256="a", tokenizer_sha256="b", plan="quick", parts={}, controls=controls)


def test_controls_that_agree_exactly_do_not_turn_the_next_small_difference_into_a_discovery() -> None:
    made = of([0.0] * 19)
    small = made.stand({"g": ["x"]}, {"x": 0.1}, {"x": 0.25})
    assert small is not None and small.largest < 1
    unguarded = made.stand({"g": ["x"]}, {"x": 0.1}, {})
    assert unguarded is not None and unguarded.largest > 1e6


def test_the_group_that_stands_out_is_named_and_unknown_measurements_are_left_out() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(size=(19, 3)).tolist()
    controls = tuple(
        Control(name=str(i), weights_sha256="0" * 64, values={"a": row[0], "b": row[1], "c": row[2]})
        for i, row in enumerate(table)
    )
    made = Calibration(base_sha256="a", tokenizer_sha256="b", plan="quick", parts={}, controls=controls)
    found = made.stand({"one": ["a", "unknown"], "two": ["b", "c"]}, {"a": 0.0, "b": 0.0, "c": 9.0}, {})
    assert found is not None
    assert found.p_value == found.smallest_p == pytest.approx(0.05)
    assert max(found.excess, key=found.excess.__getitem__) == "two"
    assert made.stand({"one": ["unknown"]}, {"unknown": 1.0}, {}) is None


def test_an_instrument_of_another_version_loses_its_part_and_the_others_keep_theirs() -> None:
    scan = whole_scan()
    made = calibrate(two(scan))
    first, *rest = scan.plan.steps
    newer = scan.model_copy(
        update={"plan": scan.plan.model_copy(update={"steps": (first.model_copy(update={"version": 2}), *rest)})}
    )
    assert made.fits(newer)
    assert made.outdated(newer) == (first.instrument,)
    mine = {m.name for result in scan.steps if result.instrument == first.instrument for m in result.measurements}
    kept = set(made.for_scan(newer).controls[0].values)
    assert mine and not mine & kept
    assert kept == set(made.controls[0].values) - mine


@pytest.mark.parametrize(
    "other", [{"tokenizer_sha256": "f" * 64}, {"n_layers": 99}, {"n_parameters": 7}, {"modality": "vision"}]
)
def test_without_a_reference_models_are_compared_by_tokenizer_and_size(other: dict[str, object]) -> None:
    alone = whole_scan().model_copy(update={"reference": None})
    made = calibrate(two(alone))
    assert made.fits(alone)
    assert not made.fits(whole_scan())
    assert not made.fits(alone.model_copy(update={"subject": alone.subject.model_copy(update=other)}))


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"controls": "x"}'])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(RecordError, match="is not a calibration"):
        read_calibration(tmp_path / "c.json")
