"""A finished scan opens, renders, compares and gates where torch is not installed: proven in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "peft", "accelerate"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""
_CALLS = """
import json, sys
import typer
from typer.testing import CliRunner
from brainscan.cli import compare, gate, library
from brainscan.clinic.library import remember

app = typer.Typer(pretty_exceptions_enable=False)
for verb in (library, compare, gate):
    verb.register(app)
remember(sys.argv[1])
results = [CliRunner().invoke(app, call) for call in json.loads(sys.argv[2])]
print(json.dumps([[result.exit_code, result.stdout, result.stderr] for result in results]))
"""


def run_blocked(tmp_path: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code where the finder above stands before every import."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(_BLOCK)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{root}"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_the_proof_can_fail(tmp_path: Path) -> None:
    done = run_blocked(tmp_path, "import torch")
    assert done.returncode == 1
    assert "No module named 'torch'" in done.stderr


def test_every_verb_on_a_finished_scan_works(tmp_path: Path, folder: Path) -> None:
    page = tmp_path / "report.html"
    forms = [word for form in ("json", "sarif", "junit", "summary") for word in (f"--{form}", str(tmp_path / form))]
    calls = {
        ("list",): 0,
        ("show", str(folder)): 0,
        ("show", "latest", "--html", str(page), *forms): 0,
        ("compare", str(folder), "latest"): 0,
        ("gate", "latest"): 1,
        ("verify", "latest"): 0,
    }
    done = run_blocked(tmp_path, _CALLS, str(folder), json.dumps(list(calls)))
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads(done.stdout)
    assert [code for code, _, _ in results] == list(calls.values())
    assert all(out and not err for _, out, err in results)
    assert page.stat().st_size > 10_000
    assert json.loads((tmp_path / "json").read_text())["schema"] == "brainscan.scan/1"


def test_a_scan_named_by_its_folder_needs_no_database_package(tmp_path: Path, folder: Path) -> None:
    code = "import sys; from brainscan.clinic.release import decide_release as d; print(d(sys.argv[1], None).exit_code)"
    done = run_blocked(tmp_path, code + "; sys.exit('sqlalchemy' in sys.modules)", str(folder))
    assert (done.returncode, done.stdout) == (0, "1\n")
