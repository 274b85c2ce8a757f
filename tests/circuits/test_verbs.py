"""``brainscan circuit``: every verb on a phantom on disk, and mistakes that are said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from brainscan.circuits.graph import read_graph
from brainscan.circuits.results import Swap
from brainscan.cli import circuit
from tests.phantoms import tiny_llama

app = typer.Typer(pretty_exceptions_enable=False)
circuit.register(app)
TEXT = "Hello you"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and one traced circuit."""
    root = tmp_path_factory.mktemp("circuit")
    tiny_llama(root / "model")
    done = run("trace", str(root / "model"), TEXT, "--nodes", "40", "--tests", "5", "--out", str(root / "a.json"))
    assert done.exit_code == 0, done.output
    return root


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["circuit", *words])


def test_a_trace_is_written_and_shown(folder: Path) -> None:
    graph = read_graph(folder / "a.json")
    assert graph.validation is not None and graph.validation.nodes == 5
    assert graph.supernodes and graph.command
    page, drawing = folder / "a.html", folder / "a.svg"
    shown = run("show", str(folder / "a.json"), "--html", str(page), "--svg", str(drawing))
    assert shown.exit_code == 0
    assert "tested by edits" in shown.output
    assert page.stat().st_size > 20_000
    assert drawing.read_text().startswith("<svg ")
    assert json.loads(run("show", str(folder / "a.json"), "--json").output)["schema"] == "brainscan.circuit/1"


def test_validate_tests_again(folder: Path) -> None:
    done = run(
        "validate", str(folder / "a.json"), str(folder / "model"), "--nodes", "8", "--edges", "0", "--factor", "0.95",
        "--predict", "gradient", "--out", str(folder / "tested.json"),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    checked = read_graph(folder / "tested.json").validation
    assert checked is not None and checked.nodes_r is not None and checked.nodes_r > 0.98


def test_diff_aggregate_and_export(folder: Path) -> None:
    path = str(folder / "b.json")
    model = str(folder / "model")
    traced = run(
        "trace", model, "Hello yoU", "--nodes", "30", "--tests", "0", "--outcome", "a", "--against", "b", "--out", path
    )
    assert traced.exit_code == 0, traced.output
    assert "overlap" in run("diff", str(folder / "a.json"), path).output
    found = json.loads(run("aggregate", str(folder / "a.json"), path, "--json").output)
    assert found["n"] == 2
    exported = run("export", path, "--out", str(folder / "out"), "--slug", "hello")
    assert exported.exit_code == 0
    assert run("show", str(folder / "out" / "hello.json")).exit_code == 0
    said = json.loads(run("export", path, "--out", str(folder / "out"), "--slug", "hello", "--json").output)
    assert said == {"file": str(folder / "out" / "hello.json"), "nodes": said["nodes"], "edges": said["edges"]}
    foreign = run("validate", str(folder / "out" / "hello.json"), model)
    assert (foreign.exit_code, "not a circuit of brainscan" in foreign.stderr) == (3, True)
    refused = run("validate", path, model)
    assert refused.exit_code == 3


def test_many_prompts_are_traced_in_one_model(folder: Path) -> None:
    (folder / "prompts.txt").write_text("Hello you\n\nGoodbye\n")
    done = run(
        "aggregate",
        "--subject",
        str(folder / "model"),
        "--prompts",
        str(folder / "prompts.txt"),
        "--nodes",
        "20",
        "--json",
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["prompts"] == ["Hello you", "Goodbye"]


def test_prompts_that_are_no_utf8_are_said(folder: Path) -> None:
    (folder / "latin.txt").write_bytes(b"caf\xe9\n")
    model = str(folder / "model")
    done = run("aggregate", "--subject", model, "--prompts", str(folder / "latin.txt"))
    assert (done.exit_code, "UTF-8" in done.stderr) == (3, True)
    piped = CliRunner().invoke(app, ["circuit", "trace", model, "-", "--tests", "0"], input=b"caf\xe9\n")
    assert (piped.exit_code, "UTF-8" in piped.stderr) == (3, True)


def test_swap_says_before_after_and_control(folder: Path) -> None:
    words = (str(folder / "model"), "abc X def", "abc Y def", "--old-word", "X", "--new-word", "Y",
             "--old-answer", "a", "--new-answer", "b")  # fmt: skip
    shown = run("swap", *words)
    assert shown.exit_code == 0, shown.output
    assert "random nodes" in shown.output
    swapped = Swap.model_validate(json.loads(run("swap", *words, "--json").output))
    assert swapped.position == 4
    assert len(swapped.nodes) <= 100


@pytest.mark.parametrize(
    "words",
    [
        ("show", "nowhere.json"),
        ("trace", "MODEL", "x"),
        ("trace", "MODEL", "Hello", "--against", "b"),
        ("trace", "MODEL", "Hello", "--outcome", "ab"),
        ("trace", "MODEL", "Hello", "--basis", "nowhere"),
        ("aggregate",),
        ("swap", "MODEL", "ab", "ac", "--old-word", "z", "--new-word", "c", "--old-answer", "a", "--new-answer", "b"),
        ("validate", "A", "MODEL", "--hold", "hands"),
        ("validate", "A", "MODEL", "--factor", "1"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_3(folder: Path, words: tuple[str, ...]) -> None:
    spelled = [{"MODEL": str(folder / "model"), "A": str(folder / "a.json")}.get(word, word) for word in words]
    done = run(*spelled)
    assert done.exit_code == 3
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.output
