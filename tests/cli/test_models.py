"""``brainscan models``: words for people, JSON for programs, one sentence and code 3 for mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from brainscan.cli.models import register
from tests.phantoms import tiny_llama


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("BRAINSCAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    app = typer.Typer()
    register(app)
    app.command("another")(lambda: None)
    return app


def test_list_speaks_to_people_and_to_programs(app: typer.Typer, tmp_path: Path) -> None:
    tiny_llama(tmp_path / "cache" / "models" / "organism")
    words = CliRunner().invoke(app, ["models", "list"])
    assert words.exit_code == 0 and "not fetched, 93 MB" in words.stdout and "organism" in words.stdout
    listed = json.loads(CliRunner().invoke(app, ["models", "list", "--json"]).stdout)
    assert {model["name"]: model["present"] for model in listed}["organism"] is True


def test_path_prints_one_line(app: typer.Typer, tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "m")
    assert CliRunner().invoke(app, ["models", "path", str(folder)]).stdout == f"{folder.resolve()}\n"
    said = json.loads(CliRunner().invoke(app, ["models", "path", str(folder), "--json"]).stdout)
    assert said == {"subject": str(folder), "folder": str(folder.resolve())}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pull", "smollm2"], "error: There is no packaged model called 'smollm2'."),
        (["pull", "smollm2-135m-instruct"], "error: smollm2-135m-instruct is not on this machine"),
        (["path", "gemma-3-270"], "Did you mean gemma-3-270m?"),
        (["path", "\x1b[31mred"], "<U+001B>[31mred"),
    ],
)
def test_a_mistake_is_one_sentence_and_code_3(app: typer.Typer, words: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["models", *words])
    assert result.exit_code == 3 and said in result.stderr and result.stdout == ""
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["list", "pull", "path"])
def test_help_shows_an_example(app: typer.Typer, verb: str) -> None:
    result = CliRunner().invoke(app, ["models", verb, "--help"])
    assert result.exit_code == 0 and "Example:" in result.stdout
