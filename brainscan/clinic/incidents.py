"""The verbs on incidents: keep, list, open. No torch and no model here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import ValidationError

from brainscan.clinic.library import open_library
from brainscan.core.errors import RecordError
from brainscan.monitor.incident import Incident
from brainscan.store.rows import IncidentRow

if TYPE_CHECKING:
    from brainscan.store.database import Store


def keeper(store: Store) -> Callable[[Incident], None]:
    """What puts incidents into an open store, one after the other."""
    return lambda incident: store.put_incident(row_of(incident))


def row_of(incident: Incident) -> IncidentRow:
    """The row of an incident."""
    return IncidentRow(
        id=incident.id,
        created_utc=incident.created_utc,
        subject_name=incident.subject_name,
        monitor_sha256=incident.verdict.monitor_sha256,
        outcome=incident.verdict.outcome,
        rules=",".join(alarm.rule for alarm in incident.verdict.alarms),
        open=incident.open,
        record=incident.model_dump_json(),
    )


def list_incidents(limit: int = 20, *, only_open: bool = False) -> list[IncidentRow]:
    """The newest incidents first."""
    with open_library() as store:
        return store.list_incidents(limit, only_open=only_open)


def open_incident(prefix: str) -> Incident:
    """The incident of that id, the beginning of one, or "latest".

    Raises:
        UsageError: no incident or more than one answers to it.
        RecordError: it was written by another version.
    """
    with open_library() as store:
        row = store.find_incident(prefix)
    try:
        return Incident.model_validate(json.loads(row.record))
    except (ValueError, ValidationError) as error:
        raise RecordError(
            f"The incident {row.id} cannot be read by this version of brainscan.", "Use the version that wrote it."
        ) from error
