"""Calibrating a base: which controls are scanned, that none is scanned twice, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from brainscan.clinic import calibrate as verb
from brainscan.clinic.calibrate import calibrate_base
from brainscan.clinic.examine import Request
from brainscan.core.errors import RecordError, UsageError
from brainscan.diagnosis.calibration import read_calibration
from brainscan.scan.record import Scan, write_scan
from tests.samples import sample_scan

BASE = "91be02c7" * 8


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    seen: list[Request] = []

    def fake(request: Request, attendant: object) -> SimpleNamespace:
        seen.append(request)
        return SimpleNamespace(scan=scan_number(len(seen)))

    monkeypatch.setattr(verb, "examine", fake)
    monkeypatch.setattr(verb, "_weights", lambda base: BASE if base == "base" else "0" * 64)
    return seen


def scan_number(i: int) -> Scan:
    """An audit of one control of the base."""
    scan = sample_scan()
    subject = scan.subject.model_copy(update={"weights_sha256": f"{i:064x}"})
    steps = tuple(step for step in scan.steps if step.outcome == "done")
    plan = scan.plan.model_copy(update={"name": "audit"})
    return scan.model_copy(update={"subject": subject, "plan": plan, "steps": steps})


def test_adapters_and_models_are_scanned_beside_their_base_and_finished_scans_are_used(
    tmp_path: Path, asked: list[Request]
) -> None:
    for name, file in (("a-lora", "adapter_config.json"), ("b-model", "config.json"), ("notes", "readme.txt")):
        (tmp_path / "controls" / name).mkdir(parents=True)
        (tmp_path / "controls" / name / file).write_text("{}")
    write_scan(tmp_path / "controls" / "c-scan", scan_number(9), {})
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


@pytest.mark.parametrize(
    ("base", "options"), [("base", {"plan": "quick"}), ("base", {"alone": True}), ("another-base", {})]
)
def test_a_finished_scan_of_another_kind_is_refused(
    tmp_path: Path, asked: list[Request], base: str, options: dict[str, Any]
) -> None:
    write_scan(tmp_path / "controls" / "a", scan_number(1), {})
    with pytest.raises(RecordError, match="is a scan under the plan audit beside acme/base-135m"):
        calibrate_base(base, str(tmp_path / "controls"), tmp_path / "c.json", **options)
    assert not (tmp_path / "c.json").exists()
