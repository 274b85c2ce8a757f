"""brainscan doctor at the door."""

from __future__ import annotations

import json

import pytest

from brainscan.clinic import doctor
from brainscan.clinic.doctor import DoctorLine


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch):
    def is_found(status: str) -> None:
        line = DoctorLine.model_validate(
            {"family": "scan", "item": "torch", "status": status, "found": "2.13.0", "advice": "Mend it."}
        )
        monkeypatch.setattr(doctor, "try_torch_elsewhere", lambda: line)

    return is_found


@pytest.mark.parametrize(("status", "code", "word"), [("ok", 0, "works"), ("missing", 1, "will not work")])
def test_the_exit_code_says_whether_a_model_can_be_scanned(run, torch, status: str, code: int, word: str) -> None:
    torch(status)
    result = run("doctor")
    assert result.exit_code == code
    assert f"Scan a model: {word}\n" in result.stdout
    printed = json.loads(run("doctor", "--json").stdout)
    assert printed["works"] is (code == 0)
    assert {line["item"] for line in printed["lines"]} >= {"python", "memory", "disk", "database", "torch", "peft"}
