"""The shelf of scans: open it, put a scan on it, find one again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, create_engine, delete, event, insert, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from brainscan.core import files
from brainscan.core.errors import StorageError, UsageError
from brainscan.core.visible import visible
from brainscan.store.migrate import is_current, migrate
from brainscan.store.refusals import refusals
from brainscan.store.rows import FindingRow, IncidentRow, ScanRow
from brainscan.store.tables import FindingTable, IncidentTable, ScanTable

LATEST = "latest"

_BUSY_SECONDS = 15


def open_store(url_or_path: str | Path) -> Store:
    """Open the database of scans and bring its tables to this version; a new file is made when there is none.

    Args:
        url_or_path: a file for SQLite, or an SQLAlchemy URL such as ``postgresql+psycopg://host/scans``.

    Raises:
        UsageError: the URL means nothing.
        StorageError: it cannot be opened, is no database, belongs to another program or to a newer version.
    """
    url = _url(url_or_path)
    where = url.database if url.get_backend_name() == "sqlite" and url.database else url.render_as_string()
    engine = _engine(url)
    try:
        with refusals(where):
            with engine.connect() as connection:
                current = is_current(connection)
            if not current:
                with engine.connect().execution_options(write=True) as connection, connection.begin():
                    migrate(connection, where)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, where)


class Store:
    """The database of scans: rows in, rows out. It never opens a scan's folder."""

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where

    def close(self) -> None:
        """Give up the connections. The store may not be used afterwards."""
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def add_scan(self, scan: ScanRow, findings: Sequence[FindingRow]) -> None:
        """Put a scan on the shelf. One with the same id is replaced: adding twice is adding once.

        Raises:
            StorageError: the database refused; the shelf is as it was.
        """
        rows = [{**finding.model_dump(), "position": place} for place, finding in enumerate(findings)]
        with refusals(self.where), self._writing() as connection:
            connection.execute(delete(ScanTable).where(ScanTable.id == scan.id))
            connection.execute(insert(ScanTable).values(scan.model_dump()))
            if rows:
                connection.execute(insert(FindingTable), rows)

    def list_scans(self, limit: int = 20, subject: str = "", flagged: str = "") -> list[ScanRow]:
        """The newest scans first.

        Args:
            subject: only scans whose subject's name or id contains this.
            flagged: only scans in which this condition was flagged.
        """
        query = select(ScanTable.__table__).order_by(ScanTable.created_utc.desc(), ScanTable.id).limit(limit)
        if subject:
            query = query.where(
                ScanTable.subject_name.contains(subject, autoescape=True)
                | ScanTable.subject_id.contains(subject, autoescape=True)
            )
        if flagged:
            hits = select(FindingTable.scan_id).where(
                FindingTable.condition == flagged, FindingTable.verdict == "flagged"
            )
            query = query.where(ScanTable.id.in_(hits))
        return [ScanRow.model_validate(row) for row in self._read(query)]

    def list_findings(self, scan_id: str) -> list[FindingRow]:
        """The findings of one scan in the order of its diagnosis; empty for an unknown scan."""
        table = FindingTable
        query = select(table.scan_id, table.condition, table.verdict, table.score, table.p_value)
        rows = self._read(query.where(table.scan_id == scan_id).order_by(table.position))
        return [FindingRow.model_validate(row) for row in rows]

    def find(self, prefix: str) -> ScanRow:
        """The scan whose id is, or alone begins with, this text; or the newest, for "latest".

        Raises:
            UsageError: no scan or more than one answers to it.
        """
        found = self.list_scans(1) if prefix == LATEST else self._beginning_with(prefix.lower())
        exact = [row for row in found if row.id == prefix.lower()]
        if prefix and len(exact or found) == 1:
            return (exact or found)[0]
        shown = visible(prefix, keep="", limit=80)
        if not found:
            raise UsageError(
                "The store holds no scan yet." if prefix == LATEST else f"No stored scan is called {shown!r}.",
                "Run brainscan list to see what there is, or name a scan's folder.",
            )
        candidates = ", ".join(f"{row.id} ({visible(row.subject_name, keep='', limit=40)})" for row in found[:5])
        raise UsageError(
            f"{shown!r} could be any of {candidates}{', …' if len(found) > 5 else ''}.", "Write more of the id."
        )

    def forget(self, scan_id: str) -> bool:
        """Take a scan off the shelf; its folder stays. False when it was not there.

        Raises:
            StorageError: the database refused; the shelf is as it was.
        """
        with refusals(self.where), self._writing() as connection:
            return connection.execute(delete(ScanTable).where(ScanTable.id == scan_id)).rowcount > 0

    def put_incident(self, incident: IncidentRow) -> None:
        """Write an incident; one with the same id is replaced, so that a growing answer stays one incident.

        Raises:
            StorageError: the database refused; what was there is as it was.
        """
        with refusals(self.where), self._writing() as connection:
            connection.execute(delete(IncidentTable).where(IncidentTable.id == incident.id))
            connection.execute(insert(IncidentTable).values(incident.model_dump()))

    def list_incidents(self, limit: int = 20, *, only_open: bool = False) -> list[IncidentRow]:
        """The newest incidents first."""
        query = select(IncidentTable.__table__).order_by(IncidentTable.created_utc.desc(), IncidentTable.id)
        if only_open:
            query = query.where(IncidentTable.open)
        return [IncidentRow.model_validate(row) for row in self._read(query.limit(limit))]

    def find_incident(self, prefix: str) -> IncidentRow:
        """The incident whose id alone begins with this text; or the newest, for "latest".

        Raises:
            UsageError: no incident or more than one answers to it.
        """
        query = select(IncidentTable.__table__).where(IncidentTable.id.startswith(prefix, autoescape=True)).limit(2)
        rows = [IncidentRow.model_validate(row) for row in self._read(query)]
        found = self.list_incidents(1) if prefix == LATEST else rows
        if prefix and len(found) == 1:
            return found[0]
        raise UsageError(
            f"{'More than one incident' if found else 'No incident'} is called {visible(prefix, keep='', limit=80)!r}.",
            "Run brainscan monitor incidents to see their ids.",
        )

    def _beginning_with(self, prefix: str) -> list[ScanRow]:
        """Up to six scans in the order of their ids, so that an exact match comes first."""
        query = select(ScanTable.__table__).where(ScanTable.id.startswith(prefix, autoescape=True))
        return [ScanRow.model_validate(row) for row in self._read(query.order_by(ScanTable.id).limit(6))]

    def _writing(self) -> AbstractContextManager[Connection]:
        return self.engine.execution_options(write=True).begin()

    def _read(self, query: Executable) -> list[dict[str, Any]]:
        with refusals(self.where), self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def _url(url_or_path: str | Path) -> URL:
    text = str(url_or_path)
    if "://" not in text:
        path = Path(text).expanduser().absolute()
        with files.refusals(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return URL.create("sqlite", database=str(path))
    try:
        return make_url(text)
    except (ArgumentError, ValueError) as error:
        raise UsageError("BRAINSCAN_STORE is no database URL.", "Write a path, or scheme://user@host/name.") from error


def _engine(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS} if sqlite else {})
    except ArgumentError as error:
        raise UsageError(f"{visible(url.drivername, keep='')} is no kind of database.", "Write a path.") from error
    except ImportError as error:
        raise StorageError(
            f"The database driver {visible(str(error.name), keep='')} is not installed.",
            f"Install it with: pip install {visible(str(error.name), keep='')}",
        ) from error
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers beside a writer, foreign keys that hold, and transactions that we begin ourselves."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock at once: upgrading a read lock later can fail without waiting."""
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
