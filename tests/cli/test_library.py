"""brainscan list, show, verify and forget at the door."""

from __future__ import annotations

import json
from pathlib import Path

from brainscan.clinic.library import remember
from tests.samples import sample_diagnosis, sample_scan


def test_an_empty_list_says_what_to_do(run) -> None:
    result = run("list")
    assert (result.exit_code, result.stdout) == (0, "No stored scan. Make one with: brainscan scan MODEL\n")
    assert json.loads(run("list", "--json").stdout) == []


def test_the_list_names_scan_subject_counts_and_folder(run, folder: Path) -> None:
    remember(folder)
    out = run("list").stdout
    scan = sample_scan()
    for word in (scan.id, scan.subject.name, "flagged (", "not assessed", str(folder)):
        assert word in out
    printed = json.loads(run("list", "--json", "--flagged", "backdoor").stdout)
    assert printed[0]["scan"]["id"] == scan.id
    assert printed[0]["present"] is True
    assert json.loads(run("list", "--json", "--subject", "nobody").stdout) == []


def test_show_prints_the_report_of_a_prefix(run, folder: Path) -> None:
    remember(folder)
    result = run("show", sample_scan().id[:5])
    assert result.exit_code == 0
    assert sample_diagnosis().impression[2][:30] in result.stdout
    assert "\x1b" not in result.stdout


def test_show_writes_what_is_asked_and_says_so(run, folder: Path, tmp_path: Path) -> None:
    html, public = tmp_path / "r" / "report.html", tmp_path / "scan.json"
    result = run("show", folder, "--html", html, "--json", public)
    assert result.stdout == f"Wrote {html}\nWrote {public}\n"
    assert html.read_text().lower().startswith("<!doctype html>")
    assert json.loads(public.read_text())["schema"] == "brainscan.scan/1"
    assert json.loads(run("show", folder, "--json", "-").stdout)["id"] == sample_scan().id


def test_verify_answers_with_its_exit_code(run, folder: Path) -> None:
    assert run("verify", folder).exit_code == 0
    models = run("verify", folder, "--models", "--json")
    assert models.exit_code == 2  # the sample's models lie nowhere
    assert {line["about"] for line in json.loads(models.stdout)} == {"scan", "subject", "reference"}
    (folder / "evidence.safetensors").write_bytes(b"")
    result = run("verify", folder)
    assert result.exit_code == 1
    assert "changed   scan      evidence.safetensors" in result.stdout


def test_forget_keeps_the_folder(run, folder: Path) -> None:
    remember(folder)
    assert "Forgot" in run("forget", "latest").stdout
    assert json.loads(run("list", "--json").stdout) == []
    assert run("show", folder).exit_code == 0


def test_what_is_not_there_is_one_sentence(run, tmp_path: Path) -> None:
    for arguments in (
        ("show", "nothing"),
        ("verify", "nothing"),
        ("gate", "nothing"),
        ("forget", "nothing"),
        ("show", tmp_path),
        ("verify", tmp_path),
    ):
        result = run(*arguments)
        assert result.exit_code == 3
        assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1


def test_every_verb_has_an_example_in_its_help(run) -> None:
    for verb in ("list", "show", "compare", "verify", "forget", "gate", "doctor"):
        assert f"Example: brainscan {verb}" in run(verb, "--help").stdout.replace("\n", " ")
        assert "--json" in run(verb, "--help").stdout
