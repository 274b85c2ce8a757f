"""Every test of the doors has a store, a cache and a finished scan of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from brainscan.cli import compare, doctor, gate, library
from tests.clinic.shelf import write_sample


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRAINSCAN_STORE", str(tmp_path / "store" / "scans.sqlite"))
    monkeypatch.setenv("BRAINSCAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "store" / "scans.sqlite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sample(tmp_path / "scan")
    return tmp_path / "scan"


@pytest.fixture
def run():
    """Run a verb as a user would, in this process."""
    app = typer.Typer(pretty_exceptions_enable=False)
    for verb in (library, compare, gate, doctor):
        verb.register(app)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call
