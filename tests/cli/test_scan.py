"""brainscan scan at the door, on phantoms and with a fake instrument: what a user types, sees and gets."""

from __future__ import annotations

import errno
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from brainscan.cli import scan
from brainscan.core.evidence import Evidence, Exchange
from brainscan.scan.instrument import INSTRUMENTS, Examination, Report
from tests.phantoms import edit_json, tiny_llama
from tests.scan.fakes import FakeInstrument, rate
from tests.subject.test_weights import Bomb

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202egnp.exe"
Run = Callable[..., Result]


def harmful(examination: Examination) -> Report:
    """Stands in for the behaviour instrument: a flagged rate with a hostile answer as its evidence."""
    name = "behaviour.harmful.complied"
    answer = Evidence(
        kind="answer",
        summary="It answered.",
        measurement=name,
        strength=1.0,
        exchange=Exchange(prompt="Do harm.", answer=HOSTILE),
    )
    return Report(measurements=(rate(name, 31, 40),), evidence=(answer,))


def mild(examination: Examination) -> Report:
    return Report(measurements=(rate("behaviour.harmful.complied", 0, 40),))


INSTRUMENTS.add("fake-harm", FakeInstrument("fake-harm", harmful))
INSTRUMENTS.add("fake-mild", FakeInstrument("fake-mild", mild))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_llama(tmp_path / "model")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    app = typer.Typer(pretty_exceptions_enable=False)
    scan.register(app)
    app.callback()(lambda: None)

    def call(*words: object, only: str = "fake-harm") -> Result:
        return CliRunner().invoke(app, ["scan", *[str(word) for word in words], "--only", only])

    return call


def test_a_scan_ends_with_every_report_asked_for(run: Run, model: Path, tmp_path: Path) -> None:
    files = {form: tmp_path / f"out.{form}" for form in ("json", "html", "sarif", "junit", "summary")}
    result = run(model, *[part for form, path in files.items() for part in (f"--{form}", path)])
    assert result.exit_code == 0, result.output
    assert "31 of 40" in " ".join(result.stdout.split())
    public = json.loads(files["json"].read_text())
    assert public["schema"] == "brainscan.scan/1"
    flagged = [f for f in public["findings"] if f["verdict"] == "flagged"]
    assert [f["condition"] for f in flagged] == ["jailbreak-susceptibility"]
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"
    assert ET.parse(files["junit"]).getroot().tag in ("testsuites", "testsuite")
    assert "jailbreak" in files["summary"].read_text().lower()


def test_hostile_model_text_drives_neither_terminal_nor_page(run: Run, model: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = run(model, "--html", page)
    for printed in (result.stdout, page.read_text()):
        assert "\x1b[2J" not in printed and "\u202e" not in printed
    assert "<script>alert(1)" not in page.read_text()


def test_the_same_command_again_reads_the_record(run: Run, model: Path) -> None:
    run(model)
    again = run(model)
    assert "was there already" in again.stdout
    assert "was there already" not in run(model, "--fresh").stdout


def test_fresh_measures_again(run: Run, model: Path) -> None:
    run(model)
    journal = next(Path("scans").rglob("journal.jsonl"))
    journal.write_text(journal.read_text().replace("It answered.", "An old answer."))
    assert "An old answer." not in run(model, "--fresh", "--json", "-").stdout
    assert "An old answer." not in journal.read_text()


def test_a_scan_beside_another_reference_is_another_scan(run: Run, model: Path, tmp_path: Path) -> None:
    others = [tiny_llama(tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    for other in others:
        result = run(model, "--reference", other, "--out", tmp_path / "scan")
        assert "was there already" not in result.stdout
    assert json.loads((tmp_path / "scan" / "scan.json").read_text())["reference"]["id"] == str(others[1])


def test_a_broken_record_is_measured_again(run: Run, model: Path) -> None:
    run(model)
    record = next(Path("scans").rglob("scan.json"))
    record.write_text("{")
    assert run(model).exit_code == 0
    assert json.loads(record.read_text())["id"]


def test_json_on_stdout_is_json_alone(run: Run, model: Path) -> None:
    result = run(model, "--json", "-")
    assert json.loads(result.stdout)["subject"]["name"]


def test_the_plan_is_printed_and_nothing_runs(run: Run, model: Path, tmp_path: Path) -> None:
    result = run(model, "--plan-only")
    assert result.exit_code == 0
    assert "fake-harm" in result.stdout and "Plan quick" in result.stdout
    assert not (tmp_path / "scans").exists()
    assert json.loads(run(model, "--plan-only", "--json", "-").stdout)["name"] == "quick"


@pytest.mark.parametrize(("only", "code"), [("fake-harm", 1), ("fake-mild", 2)])
def test_a_policy_gates(run: Run, model: Path, tmp_path: Path, only: str, code: int) -> None:
    (tmp_path / "policy.toml").write_text("[gate]\n")
    assert run(model, "--policy", tmp_path / "policy.toml", only=only).exit_code == code


def test_a_policy_with_an_unknown_key_is_refused_before_the_work(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[gate]\non_flaged = 'fail'\n")
    result = run(model, "--policy", tmp_path / "policy.toml")
    assert result.exit_code == 3
    assert "on_flaged" in result.stderr and "on_flagged" in result.stderr
    assert not (tmp_path / "scans").exists()


def cut_weights(model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def pickle_weights(model: Path) -> None:
    (model / "model.safetensors").unlink()
    torch.save({"weight": Bomb(model.parent / "exploded")}, model / "pytorch_model.bin")


def no_tokenizer(model: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (model / name).unlink()


def nan_weights(model: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(model / "model.safetensors")
    state["model.norm.weight"][0] = float("nan")
    save_file(state, model / "model.safetensors", metadata={"format": "pt"})


def remote_code(model: Path) -> None:
    edit_json(model / "config.json", auto_map={"AutoModelForCausalLM": "evil.Model"})


def stranger(model: Path) -> None:
    edit_json(model / "config.json", model_type="stranger", architectures=["StrangerLM"])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut_weights, "truncated"),
        (pickle_weights, "safetensors"),
        (no_tokenizer, "tokenizer"),
        (nan_weights, "model.norm.weight"),
        (remote_code, "code"),
        (stranger, "knows no language model of the kind"),
    ],
)
def test_a_broken_model_is_one_sentence_with_a_next_step(
    run: Run, model: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(model)
    result = run(model)
    assert result.exit_code == 3
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and said in lines[0]
    assert lines[0].count(". ") >= 1 and "Traceback" not in result.output
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "scans").exists()


def test_a_store_that_cannot_be_opened_is_said_before_the_work(run: Run, model: Path, own_store: Path) -> None:
    own_store.parent.mkdir(parents=True, exist_ok=True)
    own_store.write_text("this is no database")
    result = run(model, "--out", "here")
    assert result.exit_code == 3
    assert "Traceback" not in result.output
    assert not Path("here").exists()


def test_a_model_that_is_not_there_suggests_another(run: Run) -> None:
    result = run("smollm2-135m-instrukt")
    assert result.exit_code == 3
    assert "smollm2-135m-instruct" in result.stderr


def test_a_full_disk_leaves_no_record_and_the_next_try_resumes(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run(model, "--out", tmp_path / "scan")
    assert result.exit_code == 3
    assert "full" in result.stderr and "run the same command again" in result.stderr
    assert not (tmp_path / "scan" / "scan.json").exists()
    monkeypatch.setattr(os, "fsync", real)
    assert run(model, "--out", tmp_path / "scan").exit_code == 0


def test_a_model_without_a_chat_template_is_still_scanned(run: Run, tmp_path: Path) -> None:
    result = run(tiny_llama(tmp_path / "plain", chat_template=False))
    assert result.exit_code == 0


def test_references_with_another_vocabulary_are_refused(run: Run, model: Path, tmp_path: Path) -> None:
    other = tiny_llama(tmp_path / "other")
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    a, b = list(vocabulary)[10:12]
    vocabulary[a], vocabulary[b] = vocabulary[b], vocabulary[a]
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    result = run(model, "--reference", other)
    assert result.exit_code == 3
    assert "do not share a vocabulary" in result.stderr
