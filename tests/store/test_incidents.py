"""Incidents are kept, grow under one id, and come to a store that is older than they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from brainscan.core.errors import UsageError
from brainscan.store.database import open_store
from brainscan.store.migrate import VERSION_TABLE
from brainscan.store.rows import IncidentRow
from tests.store.test_database import findings, row


def incident(incident_id: str = "ab12", **changes: object) -> IncidentRow:
    fields: dict[str, object] = {
        "id": incident_id, "created_utc": "2026-11-01T00:00:00Z", "subject_name": "phantom", "monitor_sha256": "f" * 64,
        "outcome": "warned", "rules": "distance", "open": False, "record": "{}",
    }  # fmt: skip
    return IncidentRow.model_validate({**fields, **changes})


def test_an_incident_grows_under_one_id(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as store:
        store.put_incident(incident())
        store.put_incident(incident(outcome="stopped", open=True))
        assert store.list_incidents() == [incident(outcome="stopped", open=True)]


def test_the_newest_come_first_and_open_ones_can_be_asked_for(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as store:
        for day, waits in ((1, True), (3, False), (2, True)):
            store.put_incident(incident(f"id{day}", created_utc=f"2026-11-0{day}T00:00:00Z", open=waits))
        assert [found.id for found in store.list_incidents()] == ["id3", "id2", "id1"]
        assert [found.id for found in store.list_incidents(only_open=True)] == ["id2", "id1"]
        assert store.find_incident("latest").id == "id3"


def test_an_incident_is_found_by_its_beginning(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as store:
        store.put_incident(incident("ab12"))
        store.put_incident(incident("ab34"))
        assert store.find_incident("ab1").id == "ab12"
        with pytest.raises(UsageError, match="More than one incident"):
            store.find_incident("ab")
        for unknown in ("zz", "", "%"):
            with pytest.raises(UsageError):
                store.find_incident(unknown)


def test_a_store_from_before_incidents_gets_their_table_and_keeps_its_scans(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with open_store(path) as store:
        store.add_scan(row(), findings())
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE incidents")
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0001'")
    connection.close()
    with open_store(path) as store:
        assert store.list_scans() == [row()]
        store.put_incident(incident())
        assert store.list_incidents() == [incident()]
