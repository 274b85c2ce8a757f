"""Importing brainscan costs nothing, and what it promises is there."""

from __future__ import annotations

import subprocess
import sys

import brainscan


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_brainscan_does_not_import_torch() -> None:
    heavy = "torch", "transformers", "numpy", "sklearn", "pydantic"
    assert python(f"import brainscan, sys; print([m for m in {heavy!r} if m in sys.modules])") == "[]"


def test_the_test_above_can_fail() -> None:
    assert python("import torch, sys; print('torch' in sys.modules)") == "True"


def test_the_front_door_is_small_and_every_name_opens() -> None:
    assert len(brainscan.__all__) <= 12
    assert sorted(brainscan.__all__) == brainscan.__all__
    for name in brainscan.__all__:
        assert getattr(brainscan, name).__name__ == name


def test_reading_and_judging_records_needs_no_torch() -> None:
    code = (
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'torch':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "import brainscan.scan.record, brainscan.diagnosis.judge, brainscan.report.html, brainscan.report.terminal\n"
        "import brainscan.gate.decide, brainscan.clinic.library, brainscan.clinic.deliver, brainscan.cli.app\n"
        "print('fine')"
    )
    assert python(code) == "fine"
