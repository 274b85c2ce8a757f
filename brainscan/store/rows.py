"""Plain rows, as they go into the store and come out of it."""

from __future__ import annotations

from brainscan.core.evidence import Finite, Record


class ScanRow(Record):
    """One finished scan on the shelf."""

    id: str
    folder: str
    """Where the scan lies; it may have been moved since."""
    subject_name: str
    subject_id: str
    reference_name: str | None = None
    plan: str
    created_utc: str
    """When the scan was put into the store, ISO 8601 in UTC: "latest" is the largest."""
    flagged: int
    clear: int
    cannot_tell: int
    not_assessed: int
    """How many findings have each verdict."""
    scan_sha256: str
    """SHA-256 of scan.json, as 64 hex digits."""
    complete: bool = True


class FindingRow(Record):
    """One condition of one scan."""

    scan_id: str
    condition: str
    verdict: str
    score: Finite
    """Higher is worse; 1 and above is past the smallest effect of interest."""
    p_value: Finite | None = None


class IncidentRow(Record):
    """One answer that raised an alarm."""

    id: str
    created_utc: str
    """When its first alarm came, ISO 8601 in UTC."""
    subject_name: str
    monitor_sha256: str
    outcome: str
    """warned, stopped, ...: the verdict's."""
    rules: str
    """Names of the rules that raised an alarm, with commas between them; empty after a failure."""
    open: bool
    """It waits for a person."""
    record: str
    """The whole incident as JSON; what it means is the monitors' business."""
