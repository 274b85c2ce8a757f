"""The examples call verbs and options that exist."""

from __future__ import annotations

import re
from pathlib import Path

import typer
from typer.main import get_command

from brainscan.cli import gate, library, scan

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_examples_use_real_verbs_and_options() -> None:
    app = typer.Typer()
    for verb in (scan, library, gate):
        verb.register(app)
    options = {
        name: {word for parameter in command.params for word in parameter.opts}
        for name, command in get_command(app).commands.items()  # type: ignore[attr-defined]
    }
    text = (EXAMPLES / "github-actions.yml").read_text() + (EXAMPLES / "policy.toml").read_text()
    calls = re.findall(r"brainscan (scan|show|gate) ((?:[^\n;#]|\n +--)*)", text)
    assert {verb for verb, _ in calls} == {"scan", "show", "gate"}
    for verb, rest in calls:
        assert set(re.findall(r"--[a-z-]+", rest)) <= options[verb]


def test_the_action_says_what_each_part_needs() -> None:
    text = (EXAMPLES / "github-actions.yml").read_text()
    for needed in ("security-events: write", "upload-sarif", "GITHUB_STEP_SUMMARY", "--junit", "--policy"):
        assert needed in text
    assert "\t" not in text
