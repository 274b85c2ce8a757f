"""Write the reports that were asked for: all are made before the first is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from brainscan.clinic.library import OpenedScan, read_folder
from brainscan.core.errors import UsageError
from brainscan.core.files import write_atomic


@dataclass(frozen=True)
class DeliveryRequests:
    """One file for each form that is wanted; None for the others."""

    html: Path | None = None
    """A page that opens from disk, with no network."""
    json: Path | None = None
    """The public JSON, schema "brainscan.scan/1"."""
    sarif: Path | None = None
    """SARIF 2.1.0, for code scanning."""
    junit: Path | None = None
    """JUnit XML, for test tabs."""
    summary: Path | None = None
    """Markdown, for a job's summary."""

    def asked(self) -> dict[str, Path]:
        """Form -> file, for the forms that are wanted."""
        return {part.name: path for part in fields(self) if (path := getattr(self, part.name)) is not None}


def deliver(folder: Path, requests: DeliveryRequests) -> tuple[Path, ...]:
    """Write reports of the scan in this folder and say which; each file appears whole or not at all.

    Raises:
        UsageError: two forms would be written to the same file.
        RecordError: the folder holds no finished, judged scan.
        StorageError: the disk refused.
    """
    return deliver_opened(read_folder(folder), requests) if requests.asked() else ()


def deliver_opened(opened: OpenedScan, requests: DeliveryRequests) -> tuple[Path, ...]:
    """The same for a scan that is open already."""
    asked = requests.asked()
    if len({path.absolute() for path in asked.values()}) < len(asked):
        raise UsageError("Two reports would be written to the same file.", "Name a file of its own for each.")
    made = {path: render(form, opened) for form, path in asked.items()}
    for path, text in made.items():
        write_atomic(path, text)
    return tuple(made)


def render(form: str, opened: OpenedScan) -> str:
    """One report as text; ``form`` is a field of DeliveryRequests."""
    return _RENDERERS[form](opened)


# Imports wait until a form is asked for: drawing figures loads much that a gate does not need.


def _html(opened: OpenedScan) -> str:
    from brainscan.report.html import render_html

    return render_html(opened.scan, opened.diagnosis, opened.arrays)


def _json(opened: OpenedScan) -> str:
    from brainscan.report.public import to_public

    return json.dumps(to_public(opened.scan, opened.diagnosis), indent=1) + "\n"


def _sarif(opened: OpenedScan) -> str:
    from brainscan.report.sarif import to_sarif

    return json.dumps(to_sarif(opened.scan, opened.diagnosis), indent=1) + "\n"


def _junit(opened: OpenedScan) -> str:
    from brainscan.report.junit import to_junit

    return to_junit(opened.scan, opened.diagnosis)


def _summary(opened: OpenedScan) -> str:
    from brainscan.report.summary import job_summary

    return job_summary(opened.scan, opened.diagnosis)


_RENDERERS: dict[str, Callable[[OpenedScan], str]] = {
    "html": _html,
    "json": _json,
    "sarif": _sarif,
    "junit": _junit,
    "summary": _summary,
}
