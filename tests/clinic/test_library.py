"""Finished scans are remembered, found, opened and verified."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from brainscan.clinic.library import forget, list_scans, locate, open_library, open_scan, remember, verify
from brainscan.core.errors import RecordError, StorageError, UsageError
from brainscan.diagnosis.finding import Verdict
from tests.clinic.shelf import write_sample
from tests.samples import sample_arrays, sample_diagnosis, sample_scan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sample(tmp_path / "scan")
    return tmp_path / "scan"


def test_a_remembered_scan_opens_by_folder_file_prefix_and_latest(folder: Path) -> None:
    remember(folder)
    scan_id = sample_scan().id
    for ref in (folder, str(folder / "scan.json"), scan_id, scan_id[:4], "latest"):
        opened = open_scan(ref)
        assert (opened.scan, opened.diagnosis) == (sample_scan(), sample_diagnosis())
        assert set(opened.arrays) == set(sample_arrays())


def test_a_folder_opens_without_any_database(folder: Path, own_store: Path) -> None:
    assert open_scan(folder).scan == sample_scan()
    assert not own_store.exists()


def test_remembering_counts_the_verdicts(folder: Path) -> None:
    row = remember(folder)
    verdicts = [finding.verdict for finding in sample_diagnosis().findings]
    assert (row.flagged, row.clear) == (verdicts.count(Verdict.FLAGGED), verdicts.count(Verdict.CLEAR))
    assert row.flagged + row.clear + row.cannot_tell + row.not_assessed == len(verdicts)
    with open_library() as store:
        assert [f.condition for f in store.list_findings(row.id)] == [f.condition for f in sample_diagnosis().findings]


def test_the_list_is_newest_first_and_says_what_is_flagged_and_gone(tmp_path: Path, folder: Path) -> None:
    remember(folder)
    write_sample(tmp_path / "second", id="aaaaaaaaaaaa")
    remember(tmp_path / "second")
    shutil.rmtree(folder)
    listed = list_scans()
    assert [(line.scan.id, line.present) for line in listed] == [("aaaaaaaaaaaa", True), (sample_scan().id, False)]
    assert listed[0].flagged == tuple(
        finding.condition for finding in sample_diagnosis().findings if finding.verdict is Verdict.FLAGGED
    )
    assert len(list_scans(limit=1)) == 1
    assert list_scans(subject="nobody") == []
    with pytest.raises(RecordError, match="no longer at"):
        open_scan(sample_scan().id)


def test_forgetting_keeps_the_folder(folder: Path) -> None:
    remember(folder)
    assert forget("latest").id == sample_scan().id
    assert list_scans() == []
    assert open_scan(folder).scan == sample_scan()


@pytest.mark.parametrize("ref", ["nothing-there", "x" * 5000, "nul\0byte", ""])
def test_a_name_that_is_no_scan_is_refused(ref: str) -> None:
    with pytest.raises(UsageError):
        locate(ref)


def test_what_is_unfinished_unjudged_or_mixed_is_refused(folder: Path) -> None:
    (folder / "diagnosis.json").write_text(sample_diagnosis().model_copy(update={"scan_id": "x"}).model_dump_json())
    with pytest.raises(RecordError, match="is of another scan"):
        remember(folder)
    (folder / "diagnosis.json").unlink()
    with pytest.raises(RecordError, match="has not been judged"):
        open_scan(folder)
    (folder / "scan.json").unlink()
    with pytest.raises(RecordError, match="holds no scan"):
        open_scan(folder)


def test_verify_by_id_also_asks_the_store(folder: Path) -> None:
    remember(folder)
    assert {line.status for line in verify("latest")} == {"same"}
    text = (folder / "scan.json").read_text()
    (folder / "scan.json").write_text(text.replace('"seed": 7', '"seed": 8', 1))
    (folder / "seal.json").unlink()
    assert "Differs from what the store remembers." in [line.detail for line in verify("latest")]


def test_verify_of_the_models_says_so_when_the_record_is_broken(folder: Path) -> None:
    (folder / "scan.json").write_text("{")
    lines = verify(folder, models=True)
    assert next(line.status for line in lines if line.about == "scan") == "changed"
    assert lines[-1].status == "unchecked"


def test_a_store_that_is_no_database_is_said_to_be_none(folder: Path, own_store: Path) -> None:
    own_store.parent.mkdir()
    own_store.write_text("hello " * 1000)
    with pytest.raises(StorageError, match="is not a database"):
        remember(folder)
