"""The shelf keeps what it is given, finds it again, and refuses in one sentence."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event

from brainscan.core.errors import StorageError, UsageError
from brainscan.store.database import Store, open_store
from brainscan.store.rows import FindingRow, ScanRow


def row(scan_id: str = "0123456789ab", created: str = "2026-11-01T00:00:00Z", **changes: object) -> ScanRow:
    fields: dict[str, object] = {
        "id": scan_id, "folder": "/scans/x", "subject_name": "phantom", "subject_id": "./phantom",
        "reference_name": None, "plan": "quick", "created_utc": created, "flagged": 1, "clear": 1, "cannot_tell": 0,
        "not_assessed": 0, "scan_sha256": "a" * 64,
    }  # fmt: skip
    return ScanRow.model_validate({**fields, **changes})


def findings(scan_id: str = "0123456789ab") -> list[FindingRow]:
    return [
        FindingRow(scan_id=scan_id, condition="deception", verdict="clear", score=0.1),
        FindingRow(scan_id=scan_id, condition="backdoor", verdict="flagged", score=2.5, p_value=0.05),
    ]


@pytest.fixture
def store(tmp_path: Path):
    with open_store(tmp_path / "new" / "scans.sqlite") as opened:
        yield opened


def test_what_went_in_comes_out_in_order(store: Store) -> None:
    store.add_scan(row(), findings())
    assert store.list_scans() == [row()]
    assert store.list_findings("0123456789ab") == findings()
    assert store.list_findings("ffff") == []


def test_adding_twice_is_adding_once_and_the_newest_wins(store: Store) -> None:
    store.add_scan(row(), findings())
    store.add_scan(row(folder="/moved"), findings()[:1])
    assert [scan.folder for scan in store.list_scans()] == ["/moved"]
    assert store.list_findings("0123456789ab") == findings()[:1]


def test_forgetting_takes_the_findings_along(store: Store) -> None:
    store.add_scan(row(), findings())
    assert store.forget("0123456789ab")
    assert not store.forget("0123456789ab")
    assert store.list_findings("0123456789ab") == []


def test_the_newest_come_first_up_to_the_limit(store: Store) -> None:
    for day in (2, 3, 1):
        store.add_scan(row(f"{day}" * 12, f"2026-11-0{day}T00:00:00Z"), [])
    assert [scan.id[0] for scan in store.list_scans(2)] == ["3", "2"]
    assert store.find("latest").id == "3" * 12


def test_lists_by_subject_and_by_flagged_condition(store: Store) -> None:
    store.add_scan(row(), findings())
    store.add_scan(row("ba" * 6, subject_name="50%_off"), [])
    assert [scan.id for scan in store.list_scans(subject="%_")] == ["ba" * 6]
    assert [scan.id for scan in store.list_scans(subject="hanto")] == ["0123456789ab", "ba" * 6]
    assert [scan.id for scan in store.list_scans(flagged="backdoor")] == ["0123456789ab"]
    assert store.list_scans(flagged="deception") == []


def test_a_prefix_finds_its_scan_as_git_does(store: Store) -> None:
    store.add_scan(row("abc000000000"), [])
    store.add_scan(row("abd000000000", subject_name="evil\x1b[31m"), [])
    assert store.find("ABC").id == "abc000000000"
    assert store.find("abd000000000").id == "abd000000000"
    with pytest.raises(UsageError) as caught:
        store.find("ab")
    assert "abc000000000 (phantom), abd000000000 (evil<U+001B>[31m)" in caught.value.cause
    for nothing in ("abe", "%", "_", "ab'; DROP TABLE scans; --", "x" * 5000):
        with pytest.raises(UsageError, match="No stored scan is called"):
            store.find(nothing)
    with pytest.raises(UsageError, match="could be any"):
        store.find("")


def test_an_empty_shelf_has_no_latest(store: Store) -> None:
    with pytest.raises(UsageError, match="holds no scan yet"):
        store.find("latest")


def test_a_finding_of_another_scan_is_refused_and_nothing_is_left(store: Store) -> None:
    with pytest.raises(StorageError):
        store.add_scan(row(), findings("ffffffffffff"))
    assert store.list_scans() == []


def test_a_full_disk_leaves_the_shelf_as_it_was(store: Store) -> None:
    store.add_scan(row(), findings())
    store.close()  # so that the next connection meets the limit below

    @event.listens_for(store.engine, "connect")
    def _no_more_pages(connection, _record) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageError, match=r"disk .* is full; nothing was left half-written. Free some space"):
        store.add_scan(row("f" * 12, folder="x" * 100_000), findings("f" * 12))
    assert store.list_scans() == [row()]


def test_a_read_only_database_is_said_to_be_one(store: Store) -> None:
    @event.listens_for(store.engine, "connect")
    def _read_only(connection, _record) -> None:
        connection.execute("PRAGMA query_only = ON")

    store.close()
    assert store.list_scans() == []
    with pytest.raises(StorageError, match="read-only"):
        store.add_scan(row(), [])


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"not a database at all, " * 100)
    with pytest.raises(StorageError, match="is not a database"):
        open_store(path)
    assert path.read_bytes() == b"not a database at all, " * 100


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        open_store(tmp_path)


def test_the_folder_of_the_database_may_be_impossible(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        open_store(tmp_path / "file" / "scans.sqlite")


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("nonsense://host/x", UsageError, "no kind of database"),
        ("://", UsageError, "no database URL"),
        ("postgresql://u:secret@host:port/x", UsageError, "no database URL"),
        ("mysql+pymysql://host/x", StorageError, "pip install pymysql"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_an_sqlite_url_works_as_its_path_does(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/100%.sqlite") as by_url:
        by_url.add_scan(row(), findings())
    with open_store(tmp_path / "100%.sqlite") as by_path:
        assert by_path.find("0123").id == "0123456789ab"


def test_readers_and_a_writer_share_it(store: Store) -> None:
    connection = sqlite3.connect(store.where)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    with store.engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM scans").fetchall()
        store.add_scan(row(), findings())
        assert reader.exec_driver_sql("SELECT count(*) FROM scans").scalar() == 0
    assert len(store.list_scans()) == 1


def _open_and_add(path: str, number: int) -> None:
    with open_store(path) as opened:
        opened.add_scan(row(f"{number:012x}"), findings(f"{number:012x}"))


def test_several_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "scans.sqlite")
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_open_and_add, args=(path, number)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    with open_store(path) as opened:
        assert len(opened.list_scans()) == 4
