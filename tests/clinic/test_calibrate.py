"""Calibrating a base: which controls are scanned, that none is scanned twice, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from brainscan.clinic import calibrate as verb
from brainscan.clinic.calibrate import calibrate_base
from brainscan.clinic.examine import Request
from brainscan.core.errors import RecordError, UsageError
from brainscan.diagnosis.calibration import read_calibration
from brainscan.scan.record import write_scan
from tests.samples import sample_scan


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    seen: list[Request] = []

    def fake(request: Request, attendant: object) -> SimpleNamespace:
        seen.append(request)
        return SimpleNamespace(scan=sample_scan())

    monkeypatch.setattr(verb, "examine", fake)
    return seen


def test_adapters_and_models_are_scanned_beside_their_base_and_finished_scans_are_used(
    tmp_path: Path, asked: list[Request]
) -> None:
    for name, file in (("a-lora", "adapter_config.json"), ("b-model", "config.json"), ("notes", "readme.txt")):
        (tmp_path / "controls" / name).mkdir(parents=True)
        (tmp_path / "controls" / name / file).write_text("{}")
    write_scan(tmp_path / "controls" / "c-scan", sample_scan(), {})
    seen: list[float] = []
    made = calibrate_base(
        "base", str(tmp_path / "controls"), tmp_path / "c.json", progress=lambda fraction, words: seen.append(fraction)
    )
    assert [request.subject for request in asked] == [
        f"base+{tmp_path}/controls/a-lora",
        f"{tmp_path}/controls/b-model",
    ]
    assert all((request.reference, request.plan) == ("base", "audit") for request in asked)
    assert len(made.names) == 3
    assert read_calibration(tmp_path / "c.json") == made.calibration
    assert seen == sorted(seen) and seen[-1] == 1.0


def test_alone_means_without_the_reference(tmp_path: Path, asked: list[Request]) -> None:
    (tmp_path / "controls" / "a").mkdir(parents=True)
    (tmp_path / "controls" / "a" / "config.json").write_text("{}")
    calibrate_base("base", str(tmp_path / "controls"), tmp_path / "c.json", alone=True)
    assert asked[0].reference is None


@pytest.mark.parametrize("word", ["nowhere", "train:0", "random:0", "steal:3"])
def test_nothing_to_scan_is_said_and_nothing_is_written(word: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no control"):
        calibrate_base("base", word, tmp_path / "c.json")
    assert not (tmp_path / "c.json").exists()


def test_scans_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    one = sample_scan()
    other = one.model_copy(update={"plan": one.plan.model_copy(update={"name": "another"})})
    for name, scan in (("a", one), ("b", other)):
        write_scan(tmp_path / "controls" / name, scan, {})
    with pytest.raises(RecordError, match="share one reference"):
        calibrate_base("base", str(tmp_path / "controls"), tmp_path / "c.json")
    assert not (tmp_path / "c.json").exists()
