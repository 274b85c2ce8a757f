"""brainscan gate at the door."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainscan.clinic.seal import seal
from brainscan.diagnosis.finding import Verdict
from brainscan.diagnosis.record import write_diagnosis
from tests.clinic.shelf import write_sample
from tests.samples import sample_diagnosis, sample_scan


def rejudge(folder: Path, verdict: Verdict) -> None:
    """Give every finding of the sample this verdict, and seal the scan again."""
    diagnosis = sample_diagnosis()
    findings = tuple(finding.model_copy(update={"verdict": verdict}) for finding in diagnosis.findings)
    write_diagnosis(folder, diagnosis.model_copy(update={"findings": findings}))
    seal(folder)


@pytest.mark.parametrize(
    ("verdict", "code", "word"),
    [
        (Verdict.CLEAR, 0, "pass"),
        (Verdict.FLAGGED, 1, "FAIL"),
        (Verdict.CANNOT_TELL, 2, "CANNOT TELL"),
        (Verdict.NOT_ASSESSED, 2, "CANNOT TELL"),
    ],
)
def test_the_exit_code_is_the_answer(run, folder: Path, verdict: Verdict, code: int, word: str) -> None:
    rejudge(folder, verdict)
    result = run("gate", folder)
    assert result.exit_code == code
    assert result.stdout.startswith(f"Gate: {word}\n")
    printed = json.loads(run("gate", folder, "--json").stdout)
    assert printed["exit_code"] == code
    assert len(printed["reasons"]) == len(sample_diagnosis().findings)


def test_a_failed_self_check_cannot_tell(run, tmp_path: Path) -> None:
    write_sample(tmp_path / "sick", self_check=sample_scan(self_check=False).self_check)
    result = run("gate", tmp_path / "sick")
    assert result.exit_code == 2
    assert "self-check" in result.stdout.splitlines()[1]


def test_a_policy_changes_the_answer(run, folder: Path, tmp_path: Path) -> None:
    lenient = tmp_path / "p.toml"
    lenient.write_text("[gate]\non_flagged='warn'\non_cannot_tell='pass'\non_not_assessed='pass'")
    result = run("gate", folder, "--policy", lenient)
    assert result.exit_code == 0
    assert "warning" in result.stdout


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("[gate]\non_flagd = 'fail'", "unknown key gate.on_flagd. Did you mean on_flagged?"),
        ("[conditions.backdor]\nmax_p = 0.1", "Did you mean backdoor?"),
        ("[gate", "not valid TOML"),
        ("[gate]\non_flagged = '\x1b[2Jfail'", "not valid TOML"),
    ],
)
def test_a_bad_policy_is_a_usage_error(run, folder: Path, tmp_path: Path, policy: str, words: str) -> None:
    (tmp_path / "p.toml").write_text(policy)
    result = run("gate", folder, "--policy", tmp_path / "p.toml")
    assert (result.exit_code, result.stdout) == (3, "")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_scan_changed_after_sealing_is_refused(run, folder: Path) -> None:
    rejudged = (folder / "diagnosis.json").read_text().replace('"flagged"', '"clear"')
    (folder / "diagnosis.json").write_text(rejudged)
    result = run("gate", folder)
    assert result.exit_code == 3
    assert "diagnosis.json" in result.stderr and "changed after the scan was sealed" in result.stderr


def test_hostile_text_does_not_reach_the_terminal(run, folder: Path) -> None:
    diagnosis = sample_diagnosis()
    evil = diagnosis.findings[0].model_copy(
        update={"summary": "\x1b[2J[red]x[/red]\u202e", "would_settle": "a\nGate: pass"}
    )
    write_diagnosis(folder, diagnosis.model_copy(update={"findings": (evil, *diagnosis.findings[1:])}))
    seal(folder)
    out = run("gate", folder).stdout
    assert "<U+001B>[2J[red]x[/red]<U+202E>" in out
    assert out.count("\nGate:") == 0
