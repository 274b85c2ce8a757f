"""The verb of verbs: examine a subject. Load, check, plan, run, judge, seal, remember."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.clinic.library import open_library, remember
from brainscan.clinic.seal import seal
from brainscan.clinic.subjects import open_subject
from brainscan.clinic.through import looking_through
from brainscan.core.errors import PlanError, RecordError, SelfCheckFailed
from brainscan.diagnosis.calibration import Calibration, read_calibration
from brainscan.diagnosis.calibrations import calibration_for
from brainscan.diagnosis.finding import Diagnosis
from brainscan.diagnosis.judge import judge
from brainscan.diagnosis.record import write_diagnosis
from brainscan.scan.journal import Journal
from brainscan.scan.record import RECORD_FILE, Plan, Scan, read_scan

if TYPE_CHECKING:
    from brainscan.scan.run import Watch
    from brainscan.subject.language import LanguageSubject

SCANS = Path("scans")
"""Where scans go unless told otherwise, below the current folder."""


@dataclass(frozen=True)
class Request:
    """What is to be examined, and how."""

    subject: str
    reference: str | None = None
    plan: str = "quick"
    seed: int = 0
    budget_minutes: float | None = None
    out: Path | None = None
    """The scan's folder; scans/<name>/<id> when left out, so that the same command resumes."""
    calibration: Path | None = None
    """A calibration file; the one that ships for this base and plan, if there is one, when left out."""
    only: tuple[str, ...] = ()
    """Run just these instruments."""
    dictionary: str | None = None
    """A dictionary, or a survey of one, that the scan also looks through; it needs a reference."""
    fresh: bool = False
    """Scan again even when the same scan is there already."""
    device: str | None = None
    allow_remote_code: bool = False
    command: str = ""
    """How to repeat it, for the record."""


@dataclass(frozen=True)
class Examined:
    """A finished examination."""

    folder: Path
    scan: Scan
    diagnosis: Diagnosis
    reused: bool
    """The same scan was there already and was only judged again."""


@dataclass(frozen=True)
class Attendant:
    """What a caller may want to be told while it runs."""

    loading: Callable[[float, str], None] = field(default=lambda fraction, words: None)
    planned: Callable[[Plan, Path], None] = field(default=lambda plan, folder: None)
    watch: Watch | None = None


def examine(request: Request | str, attendant: Attendant = Attendant()) -> Examined:
    """Scan a subject and judge the scan.

    Args:
        request: what to examine; a string means the quick plan on that subject alone.

    Raises:
        SubjectError: the model cannot be found or used.
        SelfCheckFailed: it does not compute the same thing twice; the record is written and says so.
        StorageError: the disk refused; the journal keeps what was finished.
        RecordError: the dictionary to look through cannot be read.
    """
    asked = Request(request) if isinstance(request, str) else request
    with looking_through(asked.dictionary):
        return _examined(asked, attendant)


def _examined(asked: Request, attendant: Attendant) -> Examined:
    from brainscan.scan.run import Watch, run_plan

    calibration = read_calibration(asked.calibration) if asked.calibration else None
    open_library().close()  # a store that cannot be opened is said before the work, not after it
    subject, reference = _load(asked, attendant)
    plan = _plan(asked, subject, reference)
    folder = _folder(asked, plan, subject, reference)
    attendant.planned(plan, folder)
    if asked.fresh:
        Journal.discard(folder)
    earlier = None if asked.fresh else _finished(folder, plan, subject, reference)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        scan = earlier or run_plan(
            plan,
            subject,
            reference,
            folder,
            command=asked.command,
            started_utc=started,
            watch=attendant.watch or Watch(),
        )
    except SelfCheckFailed:  # it is on record: judge it as such
        _judged(folder, read_scan(folder), calibration)
        raise
    return Examined(folder, scan, _judged(folder, scan, calibration), earlier is not None)


def plan_only(request: Request, attendant: Attendant = Attendant()) -> tuple[Plan, Path]:
    """The plan that ``examine`` would run, and the folder that it would write."""
    with looking_through(request.dictionary):
        subject, reference = _load(request, attendant)
        plan = _plan(request, subject, reference)
        return plan, _folder(request, plan, subject, reference)


def _judged(folder: Path, scan: Scan, calibration: Calibration | None) -> Diagnosis:
    diagnosis = judge(scan, calibration or calibration_for(scan))
    write_diagnosis(folder, diagnosis)
    seal(folder)
    remember(folder)
    return diagnosis


def _load(request: Request, attendant: Attendant) -> tuple[LanguageSubject, LanguageSubject | None]:
    def load(spec: str) -> LanguageSubject:
        return open_subject(
            spec,
            device=request.device,
            allow_remote_code=request.allow_remote_code,
            progress=attendant.loading,
        )

    subject = load(request.subject)
    reference = load(request.reference) if request.reference else None
    if reference is not None and reference.card.tokenizer_sha256 != subject.card.tokenizer_sha256:
        ours, theirs = subject.tokenizer.get_vocab(), reference.tokenizer.get_vocab()
        if ours != theirs:
            raise PlanError(
                f"{subject.card.name} and {reference.card.name} do not share a vocabulary, so they cannot be compared token by token.",
                "Give the model that the subject was trained from as --reference, or leave it out.",
            )
    return subject, reference


def _plan(request: Request, subject: LanguageSubject, reference: LanguageSubject | None) -> Plan:
    from brainscan.scan.plan import AUDIT, make_plan

    if request.dictionary and request.plan == "audit" and not request.only:
        raise PlanError(
            f"The audit plan is {', '.join(AUDIT)}, and looks through no dictionary.",
            "Leave out --dictionary, or choose --plan standard.",
        )
    return make_plan(
        request.plan,
        subject,
        reference,
        seed=request.seed,
        budget_minutes=request.budget_minutes,
        only=request.only,
    )


def _folder(request: Request, plan: Plan, subject: LanguageSubject, reference: LanguageSubject | None) -> Path:
    from brainscan.scan.run import scan_key

    if request.out is not None:
        return request.out
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", subject.card.name).strip("-.")[:60] or "subject"
    return SCANS / slug / scan_key(plan, subject, reference)[:12]


def _finished(folder: Path, plan: Plan, subject: LanguageSubject, reference: LanguageSubject | None) -> Scan | None:
    from brainscan.scan.run import scan_key

    if not (folder / RECORD_FILE).is_file():
        return None
    try:
        scan = read_scan(folder)
    except RecordError:
        return None  # broken: what its journal still holds is used, the rest is measured again
    same = scan.id == scan_key(plan, subject, reference)[:12]
    whole = all(step.outcome != "failed" for step in scan.steps) and all(check.passed for check in scan.self_check)
    return scan if same and whole else None
