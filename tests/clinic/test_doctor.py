"""The doctor says what will work, with or without the packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from brainscan.clinic import doctor
from brainscan.clinic.doctor import FAMILIES, DoctorLine, examine_machine, judge_families, try_torch_elsewhere
from brainscan.clinic.environment import read_environment
from brainscan.clinic.machine import count_cores, free_disk, free_memory, nearest_existing, total_memory

GOOD = {"transformers": "5.23.0"}
TORCH_WORKS = DoctorLine(family="scan", item="torch", status="ok", found="2.13.0, CPU build")


def examine(without: tuple[str, ...] = (), torch: DoctorLine = TORCH_WORKS, **versions: str) -> dict[str, DoctorLine]:
    def find(package: str) -> str | None:
        return None if package in without else {**GOOD, **versions}.get(package, "9.9")

    lines = examine_machine(find_version=find, try_torch=lambda: torch)
    return {line.item: line for line in lines}


def works(lines: dict[str, DoctorLine]) -> dict[str, bool]:
    return {family.family: family.works for family in judge_families(list(lines.values()))}


def test_with_everything_installed_everything_works() -> None:
    lines = examine()
    assert set(works(lines).values()) == {True}
    assert lines["database"].status == "ok"
    assert lines["cores"].found == str(count_cores())


def test_without_torch_finished_scans_still_work() -> None:
    lines = examine(without=("torch",))
    assert lines["torch"].status == "missing"
    assert lines["torch"].advice.startswith("pip install torch==2.13.0")
    verdicts = works(lines)
    assert verdicts["reports"] and verdicts["store"]
    assert not any(verdicts[family] for family in ("scan", "gguf", "adapters"))
    gguf = next(line for line in judge_families(list(lines.values())) if line.family == "gguf")
    assert gguf.advice.startswith("pip install torch==2.13.0")


@pytest.mark.parametrize(
    ("version", "status"),
    [("4.56.9", "missing"), ("4.57.0", "ok"), ("5.0.0rc1", "ok"), ("6.0", "missing"), ("?", "missing")],
)
def test_the_range_of_transformers(version: str, status: str) -> None:
    assert examine(transformers=version)["transformers"].status == status


def test_a_torch_that_does_not_start_is_found() -> None:
    broken = DoctorLine(family="scan", item="torch", status="missing", found="it does not start", advice="mend it")
    assert not works(examine(torch=broken))["scan"]


def test_a_missing_package_breaks_only_the_families_that_need_it() -> None:
    lines = examine(without=("peft",))
    broken = [family for family, good in works(lines).items() if not good]
    assert broken == ["adapters"]
    assert lines["peft"].advice == "pip install --upgrade brainscan"


def test_a_database_that_is_none_is_said(own_store: Path) -> None:
    own_store.parent.mkdir()
    own_store.write_text("hello " * 1000)
    lines = examine()
    assert "is not a database" in lines["database"].found
    assert works(lines)["scan"] and not works(lines)["store"]


def test_a_missing_database_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brainscan.store.database", None)
    assert examine()["database"].found.startswith("cannot be tried")


def test_models_in_the_cache_are_named(tmp_path: Path) -> None:
    assert "brainscan models pull" in examine()["models in the cache"].advice
    for name in ("mine", ".unfinished"):
        (tmp_path / "cache" / "models" / name).mkdir(parents=True)
        (tmp_path / "cache" / "models" / name / "config.json").write_text("{}")
    assert examine()["models in the cache"].found == "mine"


def test_classifiers_are_no_language_models(tmp_path: Path) -> None:
    (tmp_path / "cache" / "models" / "lite").mkdir(parents=True)
    (tmp_path / "cache" / "models" / "lite" / "config.json").write_text('{"model_type": "brainscan-vision"}')
    lines = examine()
    assert lines["models in the cache"].found == "none"
    assert (lines["classifiers in the cache"].family, lines["classifiers in the cache"].found) == ("vision", "lite")


@pytest.mark.parametrize(("package", "family"), [("pillow", "vision"), ("fastapi", "serve"), ("uvicorn", "serve")])
def test_a_missing_extra_is_named(package: str, family: str) -> None:
    lines = examine(without=(package,))
    assert [name for name, good in works(lines).items() if not good] == [family]
    assert lines[package].advice == f"pip install 'brainscan[{family}]'"


def test_offline_is_a_reservation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert examine()["network"].status == "warning"


@pytest.mark.parametrize(
    ("code", "out", "err", "status", "words"),
    [
        (0, 'noise\n["2.13.0+cpu", null, null]\n', "", "ok", "2.13.0+cpu, CPU build"),
        (0, '["2.13.0", "12.8", "A100\\u001b[31m"]', "", "ok", "2.13.0, CUDA 12.8, A100<U+001B>[31m"),
        (0, '["2.13.0", "12.8", null]', "", "ok", "2.13.0, CUDA 12.8 build without a GPU"),
        (
            1,
            "",
            "Traceback\nImportError: libx.so: not found",
            "missing",
            "does not start: ImportError: libx.so: not found",
        ),
        (-11, "", "", "missing", "does not start: it said nothing"),
    ],
)
def test_torch_is_tried_in_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch, code: int, out: str, err: str, status: str, words: str
) -> None:
    done = subprocess.CompletedProcess([], code, out, err)
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr(doctor.Path, "exists", lambda _: False)
    line = try_torch_elsewhere()
    assert line.status == status
    assert words in line.found


def test_the_doctor_itself_never_loads_torch() -> None:
    script = (
        "import sys; from brainscan.clinic.doctor import *\n"
        f"line = DoctorLine(**{TORCH_WORKS.model_dump()})\n"
        "examine_machine(try_torch=lambda: line); sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_families_stand_after_those_that_they_need() -> None:
    seen: set[str] = set()
    for name, family in FAMILIES.items():
        assert set(family.needs) <= seen
        seen.add(name)


def test_the_machine_is_measured(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:  2048 kB\n")
    assert free_memory(tmp_path / "meminfo") == 2048 * 1024
    assert free_memory(tmp_path / "none") is None
    (tmp_path / "empty").write_text("MemAvailable:\n")
    assert free_memory(tmp_path / "empty") is None
    assert (total_memory() or 0) > 0
    assert nearest_existing(tmp_path / "a" / "b") == tmp_path
    assert (free_disk(tmp_path / "a" / "b") or 0) > 0
    assert read_environment().cache == tmp_path / "cache"
