"""Migrations: they make the tables of the models, and refuse what is not theirs."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from brainscan.core.errors import StorageError
from brainscan.store.database import open_store
from brainscan.store.migrate import VERSION_TABLE, is_current
from brainscan.store.tables import Base


def test_the_migrations_make_exactly_the_tables_of_the_models(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as store, store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert is_current(connection)


def test_opening_again_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    open_store(path).close()
    before = path.read_bytes()
    open_store(path).close()
    assert path.read_bytes() == before


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999\x1b[2J'")
    connection.close()
    with pytest.raises(StorageError, match=re.escape("newer brainscan (its version is 9999<U+001B>[2J")):
        open_store(path)


@pytest.mark.parametrize("table", ["scans", "bookmarks"])
def test_the_database_of_another_program_is_left_alone(tmp_path: Path, table: str) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {table} (url TEXT)")
    connection.close()
    with pytest.raises(StorageError, match="belongs to another program"):
        open_store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [(table,)]
    connection.close()


def test_a_migration_that_fails_leaves_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(op, "create_index", broken)
    with pytest.raises(RuntimeError, match="power cut"):
        open_store(tmp_path / "s.sqlite")
    monkeypatch.undo()
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
    with open_store(tmp_path / "s.sqlite") as store:
        assert store.list_scans() == []
