"""The verbs of vision at the door: help, one-line errors, JSON, and a scan from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from brainscan.cli.app import app
from brainscan.subject.vision.load import save_vision
from tests.vision import painted, small

RUN = CliRunner()


@pytest.mark.parametrize("verb", ["scan", "show", "circuit"])
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    result = RUN.invoke(app, ["vision", verb, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.output


def test_a_scan_from_end_to_end(tmp_path: Path) -> None:
    save_vision(tmp_path / "net", "small", {"classes": 4}, small())
    folder = painted(tmp_path / "images", 7)
    (folder / "red" / "zero.png").write_bytes(b"")
    where = ["--out", str(tmp_path / "scan"), "--paint", "0"]
    page = tmp_path / "page.html"
    asked = ["vision", "scan", str(tmp_path / "net"), "--images", str(folder), *where, "--html", str(page)]
    result = RUN.invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert "zero.png: it is empty" in result.output
    assert "trigger" in result.output.lower()
    assert page.read_text().count("data:image/webp") > 4
    shown = RUN.invoke(app, ["vision", "show", "channel.1/2", "--scan", str(tmp_path / "scan"), "--json"])
    assert json.loads(shown.output)["channel"] == "channel.1/2"
    made = RUN.invoke(app, ["vision", "circuit", "channel.1/2", "--scan", str(tmp_path / "scan"), "--label", "red"])
    assert made.exit_code == 0, made.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "absent", "--images", "."],
        ["show", "channel.1/2", "--scan", "absent"],
        ["circuit", "channel.1/2", "--scan", "absent", "--label", "x"],
    ],
)
def test_mistakes_are_one_line_and_exit_3(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(app, ["vision", *arguments])
    assert result.exit_code == 3
