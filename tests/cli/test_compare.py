"""brainscan compare at the door."""

from __future__ import annotations

import json
from pathlib import Path

from tests.clinic.shelf import write_sample
from tests.samples import sample_diagnosis, sample_scan


def test_a_scan_against_itself_changes_nothing(run, folder: Path) -> None:
    result = run("compare", folder, folder)
    assert result.exit_code == 0
    assert "No verdict changed." in result.stdout
    assert "0 changed" in result.stdout


def test_the_json_holds_verdicts_and_rows(run, folder: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "after", id="ffffffffffff", reference=None)
    printed = json.loads(run("compare", folder, tmp_path / "after", "--json").stdout)
    assert (printed["before_id"], printed["after_id"]) == (sample_scan().id, "ffffffffffff")
    assert [move["condition"] for move in printed["verdicts"]] == [f.condition for f in sample_diagnosis().findings]
    assert {row["toward"] for row in printed["rows"]} == {"neither"}


def test_the_page_is_written(run, folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "change.html"
    assert run("compare", folder, folder, "--html", page).stdout == f"Wrote {page}\n"
    assert page.read_text().lower().startswith("<!doctype html>")


def test_one_of_them_may_be_missing(run, folder: Path) -> None:
    result = run("compare", folder, "nothing")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "error: No stored scan is called 'nothing'. Run brainscan list to see what there is, or name a scan's folder.\n"
    )
