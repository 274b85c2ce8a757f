"""Calibrations: frozen, hashed, for one base only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainscan.core.errors import RecordError
from brainscan.diagnosis.calibration import Calibration, Control, calibrate, read_calibration, write_calibration
from tests.samples import sample_scan


def test_it_survives_the_disk_with_its_hash(tmp_path: Path) -> None:
    made = calibrate([sample_scan(), sample_scan()])
    write_calibration(tmp_path / "c.json", made)
    back = read_calibration(tmp_path / "c.json")
    assert back == made and back.sha256() == made.sha256()
    assert made.fits(sample_scan())


def test_a_changed_value_changes_the_hash() -> None:
    made = calibrate([sample_scan(), sample_scan()])
    first = made.controls[0]
    touched = made.model_copy(
        update={"controls": (first.model_copy(update={"values": {**first.values, "x.y": 1.0}}), *made.controls[1:])}
    )
    assert touched.sha256() != made.sha256()


def test_scans_that_do_not_belong_together_are_refused() -> None:
    one = sample_scan()
    other = one.model_copy(update={"plan": one.plan.model_copy(update={"name": "another"})})
    for scans in ([], [one, other], [one.model_copy(update={"reference": None})]):
        with pytest.raises(RecordError, match="share one reference, one plan and one set of texts"):
            calibrate(scans)


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
        made = Calibration(base_sha256="a", plan="quick", texts_sha256="b", controls=controls)
        found = made.compare_together(dict(zip(names, table[0].tolist(), strict=True)))
        alarms += found is not None and found.p_value <= 0.05
    assert alarms / 400 <= 0.05 + 0.025


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"controls": "x"}'])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(RecordError, match="is not a calibration"):
        read_calibration(tmp_path / "c.json")
