"""The verbs on finished scans: remember, list, open, verify, forget. No torch here.

A scan is named by its folder, by the beginning of its id, or as "latest". Naming the folder never
opens the database, so a scan can be shown and gated on a machine that has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.clinic.environment import read_environment
from brainscan.clinic.seal import SEAL_FILE, VerifyLine, verify_model, verify_seal
from brainscan.core.errors import BrainscanError, RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.provenance import sha256_of_file
from brainscan.core.visible import visible
from brainscan.diagnosis.condition import CONDITIONS
from brainscan.diagnosis.finding import Diagnosis, Verdict
from brainscan.diagnosis.record import read_diagnosis
from brainscan.scan.record import RECORD_FILE, Arrays, Scan, read_arrays, read_scan
from brainscan.store.rows import FindingRow, ScanRow

if TYPE_CHECKING:
    from brainscan.store.database import Store


@dataclass(frozen=True)
class OpenedScan:
    """A finished scan with everything that a report needs."""

    folder: Path
    scan: Scan
    diagnosis: Diagnosis
    arrays: Arrays


class ListedScan(Record):
    """One line of ``brainscan list``."""

    scan: ScanRow
    flagged: tuple[str, ...]
    """Names of the flagged conditions, in the order of the diagnosis."""
    present: bool
    """False when the scan's folder was moved or deleted since."""


@dataclass(frozen=True)
class Located:
    """Where a scan lies, and its row when it was found through the store."""

    folder: Path
    row: ScanRow | None


def open_library() -> Store:
    """Open the store that the environment names. The database's packages load here and not before."""
    from brainscan.store.database import open_store

    return open_store(read_environment().store)


def remember(folder: Path) -> ScanRow:
    """Put a finished, judged scan on the shelf; doing it again changes only where it lies and when.

    Raises:
        RecordError: the folder holds no finished scan or no diagnosis of it.
        StorageError: the database refused.
    """
    opened = read_folder(Path(folder).absolute())
    row = _row(opened)
    with open_library() as store:
        store.add_scan(row, _finding_rows(opened.diagnosis))
    return row


def list_scans(limit: int = 20, subject: str = "", flagged: str = "") -> list[ListedScan]:
    """The newest scans first, optionally of one subject or with one flagged condition.

    Raises:
        UsageError: there is no such condition.
    """
    if flagged and flagged not in CONDITIONS.names():
        raise UsageError(
            f"There is no condition called {flagged!r}.", f"Choose one of: {', '.join(CONDITIONS.names())}."
        )
    with open_library() as store:
        return [
            ListedScan(
                scan=row,
                flagged=tuple(f.condition for f in store.list_findings(row.id) if f.verdict == Verdict.FLAGGED.value),
                present=(Path(row.folder) / RECORD_FILE).is_file(),
            )
            for row in store.list_scans(limit, subject, flagged)
        ]


def open_scan(ref: str | Path) -> OpenedScan:
    """Open a finished scan and its diagnosis.

    Raises:
        UsageError: nothing or more than one scan answers to the name.
        RecordError: the folder is gone, or what lies there is unfinished, broken or foreign.
    """
    return read_folder(locate(ref).folder)


def read_folder(folder: Path) -> OpenedScan:
    """Read a scan folder as a whole.

    Raises:
        RecordError: what lies there is unfinished, broken or foreign, or has not been judged.
    """
    scan, diagnosis = read_scan(folder), read_diagnosis(folder)
    if diagnosis.scan_id != scan.id:
        raise RecordError(
            f"The diagnosis in {folder} is of another scan ({visible(diagnosis.scan_id, keep='', limit=40)}).",
            "Run the same scan command again to judge it anew.",
        )
    return OpenedScan(folder, scan, diagnosis, read_arrays(folder))


def verify(ref: str | Path, models: bool = False) -> list[VerifyLine]:
    """Hash a scan's files again, and with ``models`` the files of its subject and reference; one line a file.

    Raises:
        UsageError: nothing or more than one scan answers to the name.
        RecordError: the folder or its seal cannot be read.
    """
    located = locate(ref)
    if not any((located.folder / name).exists() for name in (RECORD_FILE, SEAL_FILE)):
        raise RecordError(f"{located.folder} holds no scan.", "Name a folder that brainscan scan has written.")
    lines = verify_seal(located.folder)
    if located.row is not None:
        lines.append(_against_the_store(located.folder, located.row))
    return lines + (_verify_models(located.folder) if models else [])


def forget(ref: str) -> ScanRow:
    """Take a scan off the shelf; its folder stays.

    Raises:
        UsageError: nothing or more than one scan answers to the id.
    """
    with open_library() as store:
        row = store.find(ref)
        store.forget(row.id)
    return row


def locate(ref: str | Path) -> Located:
    """The folder of a scan: the folder named, its scan.json named, or what the store knows under that id.

    Raises:
        UsageError: nothing or more than one scan answers to the name.
        RecordError: the store knows the scan, but its folder is gone.
    """
    path = Path(ref)
    try:
        if str(ref) and path.is_dir():
            return Located(path, None)
        if path.name == RECORD_FILE and path.is_file():
            return Located(path.parent, None)
    except (OSError, ValueError) as error:  # a name too long or with a NUL in it
        raise UsageError("That is neither a folder nor the id of a scan.", "Run brainscan list.") from error
    with open_library() as store:
        row = store.find(str(ref))
    if not (Path(row.folder) / RECORD_FILE).is_file():
        raise RecordError(
            f"The scan {row.id} is no longer at {visible(row.folder, keep='')}.",
            f"Name its new folder, or run: brainscan forget {row.id}",
        )
    return Located(Path(row.folder), row)


def _row(opened: OpenedScan) -> ScanRow:
    scan = opened.scan
    verdicts = [finding.verdict for finding in opened.diagnosis.findings]
    return ScanRow(
        id=scan.id,
        folder=str(opened.folder),
        subject_name=scan.subject.name,
        subject_id=scan.subject.id,
        reference_name=scan.reference.name if scan.reference else None,
        plan=scan.plan.name,
        created_utc=datetime.now(UTC).isoformat(timespec="microseconds"),
        flagged=verdicts.count(Verdict.FLAGGED),
        clear=verdicts.count(Verdict.CLEAR),
        cannot_tell=verdicts.count(Verdict.CANNOT_TELL),
        not_assessed=verdicts.count(Verdict.NOT_ASSESSED),
        scan_sha256=sha256_of_file(opened.folder / RECORD_FILE),
    )


def _finding_rows(diagnosis: Diagnosis) -> list[FindingRow]:
    return [
        FindingRow(
            scan_id=diagnosis.scan_id, condition=f.condition, verdict=f.verdict.value, score=f.score, p_value=f.p_value
        )
        for f in diagnosis.findings
    ]


def _against_the_store(folder: Path, row: ScanRow) -> VerifyLine:
    same = sha256_of_file(folder / RECORD_FILE) == row.scan_sha256
    return VerifyLine(
        about="scan",
        file=RECORD_FILE,
        status="same" if same else "changed",
        detail=f"{'Equal to' if same else 'Differs from'} what the store remembers.",
    )


def _verify_models(folder: Path) -> list[VerifyLine]:
    try:
        scan = read_scan(folder)
    except BrainscanError as error:
        return [VerifyLine(about="subject", file="?", status="unchecked", detail=error.cause)]
    reference = verify_model("reference", scan.reference) if scan.reference else []
    return verify_model("subject", scan.subject) + reference
