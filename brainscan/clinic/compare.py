"""The verb compare: two finished scans side by side. No torch and, for folders, no database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainscan.clinic.library import OpenedScan, open_scan
from brainscan.core.files import write_atomic
from brainscan.report.compare import compare_html, transitions
from brainscan.scan.compare import compare_scans


@dataclass(frozen=True)
class Pair:
    """Two finished scans, opened."""

    before: OpenedScan
    after: OpenedScan


def open_pair(before: str | Path, after: str | Path) -> Pair:
    """Open two scans to compare.

    Raises:
        UsageError: nothing or more than one scan answers to a name.
        RecordError: one of them is unfinished, broken or foreign.
    """
    return Pair(open_scan(before), open_scan(after))


def comparison_as_json(pair: Pair) -> dict[str, Any]:
    """Verdicts and measurements of both as plain JSON values; ``toward`` says better, worse or neither."""
    comparison = compare_scans(pair.before.scan, pair.after.scan)
    rows = [{**row.model_dump(mode="json"), "toward": row.toward} for row in comparison.rows]
    verdicts = [
        {"condition": move.condition, "before": move.before, "after": move.after, "changed": move.changed}
        for move in transitions(pair.before.diagnosis, pair.after.diagnosis)
    ]
    return {
        "schema": "brainscan.comparison/1",
        **comparison.model_dump(mode="json"),
        "rows": rows,
        "verdicts": verdicts,
    }


def write_comparison(path: Path, pair: Pair) -> None:
    """Write the comparison as one page, whole or not at all.

    Raises:
        StorageError: the disk refused.
    """
    before, after = pair.before, pair.after
    write_atomic(path, compare_html(before.scan, after.scan, before.diagnosis, after.diagnosis))
