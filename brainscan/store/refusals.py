"""Turn what a database says into one sentence with a next step."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from brainscan.core.errors import StorageError
from brainscan.core.visible import visible

# SQLite's name for the error, by its beginning -> what is wrong, what to do.
_SQLITE: tuple[tuple[str, str, str], ...] = (
    (
        "SQLITE_FULL",
        "The disk that holds the database {where} is full; nothing was left half-written.",
        "Free some space, then run the same command again.",
    ),
    (
        "SQLITE_READONLY",
        "The database {where} cannot be written: it is read-only.",
        "Set BRAINSCAN_STORE to a place that you may write to.",
    ),
    (
        "SQLITE_NOTADB",
        "The file {where} is not a database.",
        "Move it away, or set BRAINSCAN_STORE to another place.",
    ),
    (
        "SQLITE_CORRUPT",
        "The database {where} is damaged.",
        "Move it away: the scan folders are whole without it.",
    ),
    (
        "SQLITE_CANTOPEN",
        "The database {where} cannot be opened.",
        "Check that its folder exists and that you may write to it, or set BRAINSCAN_STORE to another place.",
    ),
    (
        "SQLITE_BUSY",
        "The database {where} is in use by another program.",
        "Wait until it is done, then run the same command again.",
    ),
    (
        "SQLITE_IOERR",
        "The disk that holds the database {where} failed or is full; nothing was left half-written.",
        "Check the disk and its free space, then run the same command again.",
    ),
)


@contextlib.contextmanager
def refusals(where: str) -> Iterator[None]:
    """Raise a StorageError in the place of whatever the database raised."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _explain(error, where) from error


def _explain(error: SQLAlchemyError, where: str) -> StorageError:
    original = error.orig if isinstance(error, DBAPIError) else None
    name = getattr(original, "sqlite_errorname", "") if isinstance(original, sqlite3.Error) else ""
    for beginning, cause, next_step in _SQLITE:
        if name.startswith(beginning):
            return StorageError(cause.format(where=where), next_step)
    said = visible(str(original or error), keep="", limit=300)
    return StorageError(f"The database {where} refused: {said}.", "Check BRAINSCAN_STORE and the database server.")
