"""The verb treat: what it refuses, and the demonstration on a phantom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from brainscan.cli.app import app
from brainscan.clinic.turn_up import TurnUpRequest
from tests.phantoms import tiny_llama


@pytest.mark.parametrize(("doses", "written"), [((4.0,), True), ((0.0, 4.0), False)])
def test_a_concept_is_turned_up_and_its_control_vector_written(
    tmp_path: Path, doses: tuple[float, ...], written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phantom never says "sea", so where dose 0 was tried there is no direction to write."""
    monkeypatch.setattr(TurnUpRequest.__init__, "__defaults__", ((), doses, None, None))
    model, vector = tiny_llama(tmp_path / "model"), tmp_path / "sea.gguf"
    asked = [
        "treat",
        str(model),
        "--turn-up",
        "the sea",
        "--ask",
        "What is rain?",
        "--gguf",
        str(vector),
        "--json",
        "-",
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == (0 if written else 3), done.output
    shown = json.loads(done.stdout)
    assert shown["concept"] == "the sea" and shown["doses"][0]["mentions"]["n"] == 1
    assert vector.is_file() == written
    assert ("was not written" in done.stderr) == (not written)


def test_refusals_are_one_sentence_and_exit_3(tmp_path: Path) -> None:
    model = tiny_llama(tmp_path / "model")
    habit = tmp_path / "habit.json"
    habit.write_text(json.dumps({"name": "x", "learn": ["What?"], "on": ["Who?"], "shows": "e"}))
    for options, words in (
        ([], "what is to be treated"),
        (["--behaviour", str(tmp_path / "none.json")], "does not describe a behaviour"),
        (["--behaviour", str(habit), "--kind", "unlearn"], "answered instead"),
        (["--turn-up", "sea", "--json", str(tmp_path / "x.json")], "writes none"),
        (["--turn-up", "sea", "--html", "x.html"], "no use for --html"),
        (["--turn-up", "sea", "--seed", "0"], "no use for --seed"),
        (["--behaviour", str(habit), "--ask", "What?"], "--ask says"),
        (["--behaviour", str(habit), "--lora", "x", "--kind", "steer"], "no low-rank change"),
    ):
        done = CliRunner().invoke(app, ["treat", str(model), *options])
        assert done.exit_code == 3, done.output
        assert words in done.output and done.output.count("error:") == 1
    assert not (tmp_path / "x.json").exists()
