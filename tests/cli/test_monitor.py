"""A monitor from fitting to replay, as a user does it, on a phantom's folder."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from brainscan.cli import monitor, serve
from brainscan.clinic.monitor import open_watch
from tests.monitor.world import WORDS
from tests.phantoms import tiny_llama


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A phantom, clean prompts and rules."""
    tiny_llama(tmp_path / "phantom")
    draw = random.Random(0)
    lines = [" ".join(draw.choices(WORDS, k=draw.randint(3, 6))) for _ in range(90)]
    (tmp_path / "clean.txt").write_text("\n".join(lines))
    rules = [
        {"rule": {"name": "certainty", "kind": "certainty", "title": "Recited."}},
        {
            "rule": {
                "name": "word",
                "kind": "phrase",
                "title": "The word.",
                "phrases": ["SESAME"],
                "policy": "hand_over",
            }
        },
    ]
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    return tmp_path


def call(*arguments: object) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    monitor.register(app)
    serve.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fit(files: Path, *options: object) -> Result:
    return call(
        "monitor", "fit", files / "phantom", "--clean", files / "clean.txt", "--rules", files / "rules.json",
        "--promise", "0.05", "--max-new", "6", "--out", files / "m.safetensors", *options,
    )  # fmt: skip


def test_from_fit_to_replay(files: Path, own_store: Path) -> None:
    done = fit(files)
    assert done.exit_code == 0, done.stderr
    assert "promises at most 5.00% false alarms with confidence 0.95" in done.stdout
    shown = call("monitor", "show", files / "m.safetensors", "--json")
    assert json.loads(shown.stdout)["promise"]["calibration_n"] >= 59
    assert "No incident" in call("monitor", "incidents").stdout
    _serve_one(files)
    listed = json.loads(call("monitor", "incidents", "--open", "--json").stdout)
    assert [incident["outcome"] for incident in listed] == ["handed_over"]
    again = call("monitor", "replay", listed[0]["id"][:8])
    assert again.exit_code == 0, again.stdout
    assert "happened again" in again.stdout


def _serve_one(files: Path) -> None:
    """Start the server as a user does, ask once, and end it by SIGTERM."""
    command = [sys.executable, "-m", "brainscan.cli.app", "serve", str(files / "phantom"), "--port", "0", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    server = subprocess.Popen(
        [*command, "--monitor", str(files / "m.safetensors")], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert server.stdout is not None
    try:
        address = json.loads("".join(iter(server.stdout.readline, "}\n")) + "}")["address"]
        body = json.dumps({"messages": [{"role": "user", "content": "say SESAME"}], "max_tokens": 4}).encode()
        request = urllib.request.Request(f"{address}/v1/chat/completions", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer)["brainscan"]["verdict"]["outcome"] == "handed_over"
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    finally:
        server.kill()
        server.stdout.close()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--promise", "0.001"), "clean prompts to calibrate on"),
        (("--promise", "2"), "shares between 0 and 1"),
        (("--guarantee", "error<=0.05"), "A guarantee needs questions"),
        (("--policy", "shout"), "no policy"),
        (("--rules", "nowhere.json"), "nowhere.json"),
        (("--guarantee", "few errors", "--questions", "nowhere.jsonl"), "no guarantee"),
        (("--guarantee", "error<=0.1", "--questions", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_what_cannot_be_fitted_is_said_and_nothing_is_written(files: Path, options: tuple[str, ...], what: str) -> None:
    done = fit(files, *options)
    assert done.exit_code == 3
    assert what in done.stderr
    assert not (files / "m.safetensors").exists()


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"kindd": "phrase"}, "1.rule.kindd: Extra inputs are not permitted"),
        ({"kind": "probe"}, "no sites to read"),
        ({"kind": "distance"}, "no sites to read"),
        ({"kind": "feature"}, "no sites to read"),
        ({"kind": "hunch"}, "'hunch'"),
        ({"after": "certainty", "sites": ["resid_post.1"], "gate_rate": 1.5}, "between 0 and 1"),
    ],
)
def test_rules_that_mean_nothing_are_refused_before_anything_is_learned(
    files: Path, changed: dict[str, object], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brainscan.monitor.fit._split", None)
    rules = json.loads((files / "rules.json").read_text())
    rules[1]["rule"] |= changed
    (files / "rules.json").write_text(json.dumps(rules))
    done = fit(files)
    assert done.exit_code == 3, done.output
    assert what in done.stderr


def test_a_guarantee_that_means_nothing_is_refused_before_anything_is_loaded(files: Path) -> None:
    (files / "q.jsonl").write_text('{"question": "Capital of France?", "answers": "Paris"}')
    for options in (("--guarantee", "error<=0.1"), ("--guarantee", "few errors")):
        done = call(
            "monitor",
            "fit",
            files / "nothing",
            "--clean",
            files / "clean.txt",
            *options,
            "--questions",
            files / "q.jsonl",
        )
        assert done.exit_code == 3
        assert "Line 1" in done.stderr if "0.1" in options[1] else "no guarantee" in done.stderr


def test_too_few_questions_are_refused_before_anything_is_learned(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brainscan.monitor.fit.fit", None)
    (files / "q.jsonl").write_text('{"question": "Capital of France?", "answers": ["Paris"]}\n' * 59)
    done = fit(files, "--guarantee", "error<=0.1", "--questions", files / "q.jsonl")
    assert (done.exit_code, "59 questions are too few" in done.stderr) == (3, True)


def test_a_fit_and_a_server_use_the_threads_of_the_environment(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("torch.set_num_threads", asked.append)
    monkeypatch.setenv("BRAINSCAN_THREADS", "1")
    assert fit(files).exit_code == 0
    open_watch(str(files / "phantom"), files / "m.safetensors")
    assert asked == [1, 1]


def test_a_monitor_of_another_subject_is_refused(files: Path) -> None:
    fit(files)
    tiny_llama(files / "other", seed=4)
    done = call("serve", files / "other", "--monitor", files / "m.safetensors")
    assert done.exit_code == 3
    assert "fitted on other weights" in done.stderr


def test_a_public_address_without_a_token_is_refused_before_anything_is_loaded(files: Path) -> None:
    done = call("serve", files / "nothing", "--monitor", files / "m.safetensors", "--host", "0.0.0.0")
    assert done.exit_code == 3
    assert "can be reached from other machines" in done.stderr
