"""The corpus verb: what it says, and what it says when nothing can be fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from brainscan.activations import corpus as room
from brainscan.cli import corpus
from tests.activations.test_corpus import shelf, take  # noqa: F401

app = typer.Typer(pretty_exceptions_enable=False)
corpus.register(app)


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def test_it_builds_into_the_cache_and_names_licences(
    shelf: tuple[room.Package, ...],  # noqa: F811
    own_store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "fetch_package", take)
    monkeypatch.setattr(room.build_corpus, "__kwdefaults__", {**room.build_corpus.__kwdefaults__, "packages": shelf})
    done = CliRunner().invoke(app, ["corpus", "build", "--json"])
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (Path(told["folder"]) / "corpus.json").is_file() and len(told["parts"]) == 2
    plain = CliRunner().invoke(app, ["corpus", "build"])
    assert "CC0" in plain.stdout and "MB of text" in plain.stdout


def test_offline_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = CliRunner().invoke(app, ["corpus", "build"])
    assert done.exit_code == 3 and "stay offline" in done.stderr
