"""Bring a database to the tables of this version, or refuse it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from brainscan.core.errors import StorageError
from brainscan.core.visible import visible
from brainscan.store.tables import Base

VERSION_TABLE = "brainscan_version"
"""A name of our own, so that a database shared with another program keeps both histories."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def is_current(connection: Connection) -> bool:
    """True when the tables are those of this version, so that opening needs no write."""
    return _revision(connection) == _scripts().get_current_head()


def migrate(connection: Connection, where: str) -> None:
    """Create or change the tables inside the connection's transaction.

    Raises:
        StorageError: the database is newer than this version, or its tables belong to another program.
    """
    scripts = _scripts()
    found = _revision(connection)
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise StorageError(
            f"The database {where} was written by a newer brainscan (its version is {visible(found, keep='')}, "
            f"the newest that this one knows is {scripts.get_current_head()}).",
            "Upgrade brainscan, or set BRAINSCAN_STORE to another place.",
        )
    taken = set(inspect(connection).get_table_names())
    if found is None and (taken & set(Base.metadata.tables) or (taken and connection.dialect.name == "sqlite")):
        raise StorageError(
            f"The database {where} belongs to another program.", "Set BRAINSCAN_STORE to a place of brainscan's own."
        )
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, "head")


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS))


def _revision(connection: Connection) -> str | None:
    heads = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_heads()
    return ",".join(heads) or None
