"""The verb treat: change what was found, measure what it did, and write it down. torch loads where it is needed.

Numbered acts: 1) say what is to be treated, and refuse what cannot be; 2) load subject and reference; 3) run the
course; 4) write the record, then the exports; 5) scan again under treatment, if asked, and write both side by side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.clinic.complaint import behaviour_of_file, behaviour_of_finding, behaviour_of_organism
from brainscan.clinic.library import OpenedScan, open_scan
from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import StorageError, UsageError
from brainscan.core.files import check_replaceable, write_atomic
from brainscan.core.visible import visible
from brainscan.subject.progress import Progress, silent
from brainscan.treatment.record import RECORD_FILE, TreatmentRecord

if TYPE_CHECKING:
    from brainscan.scan.record import Plan as ScanPlan
    from brainscan.subject.language import LanguageSubject
    from brainscan.treatment.behaviour import Behaviour
    from brainscan.treatment.course import Finished, Plan
    from brainscan.treatment.make import Regimen
    from brainscan.treatment.protocol import Treatment

TREATMENTS = Path("treatments")
"""Where treatments go unless told otherwise, below the current folder."""


@dataclass(frozen=True)
class Target:
    """What is to be treated: exactly one of the three."""

    finding: str | None = None
    """A condition of ``scan``."""
    scan: str = "latest"
    behaviour: Path | None = None
    """A JSON file that describes it."""
    organism: str | None = None
    """A model of the zoo, whose recipe says what was planted."""


@dataclass(frozen=True)
class Exports:
    """Forms for use elsewhere; None for those that are not wanted."""

    lora: Path | None = None
    weights: Path | None = None
    gguf: Path | None = None
    """A control vector for llama.cpp."""


@dataclass(frozen=True)
class TreatRequest:
    """What to treat, and how."""

    subject: str
    target: Target
    reference: str | None = None
    kind: str | None = None
    """Unlearning where there is something to learn from (a reference or answers), projecting out elsewhere, when None."""
    steps: int | None = None
    """Of training; the kind's own when left out."""
    """Of treatments that are trained."""
    largest_perplexity: float = 1.02
    baselines: bool = True
    relapse: bool = True
    rescan: str | None = None
    """The plan to scan with before and under treatment; None scans nothing."""
    seed: int = 0
    out: Path | None = None
    exports: Exports = Exports()
    device: str | None = None
    command: str = ""


@dataclass(frozen=True)
class Done:
    """A finished treatment."""

    folder: Path
    record: TreatmentRecord
    written: tuple[Path, ...]
    """Exports, and the page of both scans."""


def treat(request: TreatRequest, progress: Progress = silent) -> Done:
    """Treat a subject and write the record.

    Raises:
        SubjectError: the model cannot be used. UsageError: the request cannot mean what it says, the scan is of another
        model, or an export is not possible for this kind. PlanError: there is nothing to test on, or the behaviour never
        shows. StorageError: the disk refused.
    """
    from brainscan.treatment.course import run_course
    from brainscan.treatment.saved import save_treatment

    _one_target(request.target)
    opened = open_scan(request.target.scan) if request.target.finding is not None else None
    behaviour, answers = _behaviour(request.target, opened)
    plan = _plan(request, answers)
    subject = open_subject(request.subject, device=request.device, progress=lambda f, w: progress(0.05 * f, w))
    reference = open_subject(request.reference, device=request.device) if request.reference else None
    if opened is not None:
        _same_weights(opened, subject)
    if request.rescan is not None:
        _scan_plan(request, subject, reference)  # one that nobody knows is refused before the course, not after
    finished = run_course(subject, behaviour, reference, plan, lambda f, w: progress(0.05 + 0.75 * f, w))
    folder = request.out or TREATMENTS / _slug(subject.card.name) / f"{plan.kind}-{finished.record.sha256[:8]}"
    progress(0.8, "writing")
    save_treatment(folder, finished.record, finished.treatment)
    written = _export(request.exports, finished.treatment, subject, folder)
    if request.rescan is not None:
        before = opened.folder if opened is not None else None
        finished, pages = _scanned(request, finished, subject, reference, folder, before, progress)
        written += pages
        write_atomic(folder / RECORD_FILE, finished.record.model_dump_json(indent=1))
    progress(1.0, "done")
    return Done(folder, finished.record, written)


def write_page(path: Path, record: TreatmentRecord) -> None:
    """Write a treatment's page, whole or not at all.

    Raises:
        StorageError: the disk refused.
    """
    from brainscan.report.treatment import treatment_html

    write_atomic(path, treatment_html(record))


def _one_target(target: Target) -> None:
    given = [name for name in ("finding", "behaviour", "organism") if getattr(target, name) is not None]
    if len(given) != 1:
        raise UsageError(
            f"{'Nothing says' if not given else 'Several options say'} what is to be treated.",
            "Give one of --finding, --behaviour and --organism.",
        )


def _behaviour(target: Target, opened: OpenedScan | None) -> tuple[Behaviour, tuple[str, ...]]:
    if target.behaviour is not None:
        return behaviour_of_file(target.behaviour)
    if opened is not None:
        return behaviour_of_finding(opened, target.finding or ""), ()
    return behaviour_of_organism(target.organism or ""), ()


def _same_weights(opened: OpenedScan, subject: LanguageSubject) -> None:
    if opened.scan.subject.weights_sha256 != subject.card.weights_sha256:
        raise UsageError(
            f"The scan {opened.scan.id} is of {visible(opened.scan.subject.name, keep='')} and not of "
            f"{subject.card.name}: what it found need not be there.",
            "Name a scan of this model with --scan.",
        )


def _plan(request: TreatRequest, answers: tuple[str, ...]) -> Plan:
    from brainscan.scan.answers import classify
    from brainscan.scan.texts.requests import PAIRS
    from brainscan.treatment.course import Plan
    from brainscan.treatment.dose import Guard
    from brainscan.treatment.export import MADE_FILE, check_forms
    from brainscan.treatment.ledger import Material
    from brainscan.treatment.make import check_kind
    from brainscan.treatment.protocol import BASELINES
    from brainscan.treatment.relapse import Attack

    reference, exports = request.reference is not None, request.exports
    kind = request.kind or ("revert" if reference else "unlearn" if answers else "project-out")
    check_kind(kind, reference=reference, answers=bool(answers))
    check_forms(kind, lora=exports.lora is not None, weights=exports.weights is not None, gguf=exports.gguf is not None)
    for folder in filter(None, (exports.lora, exports.weights)):
        check_replaceable(folder, MADE_FILE)
    if request.out is not None:
        check_replaceable(request.out, RECORD_FILE)
    material = Material(
        harmful=tuple(pair.harmful for pair in PAIRS[:16]),
        refused=lambda asked, answer: classify(asked, answer) == "refused",
    )
    return Plan(
        kind=kind,
        regimen=_regimen(request, answers),
        guard=Guard(perplexity=request.largest_perplexity),
        material=material,
        baselines=BASELINES if request.baselines else (),
        attack=Attack() if request.relapse else None,
        command=request.command,
    )


def _regimen(request: TreatRequest, answers: tuple[str, ...]) -> Regimen:
    from brainscan.treatment.make import Regimen

    usual = Regimen(answers=answers, seed=request.seed)
    return usual if request.steps is None else replace(usual, steps=request.steps, gate_steps=request.steps)


def _export(exports: Exports, treatment: Treatment, subject: LanguageSubject, saved: Path) -> tuple[Path, ...]:
    """Write the forms that are wanted; where one is refused, the treatment itself is there and the error says so."""
    from brainscan.treatment.export import export_control_vector, export_lora, export_weights

    wanted = ((exports.lora, export_lora), (exports.weights, export_weights), (exports.gguf, export_control_vector))
    try:
        return tuple(export(treatment, subject, path) for path, export in wanted if path is not None)
    except (UsageError, StorageError) as error:
        raise type(error)(error.cause, f"{error.next_step} The treatment itself is saved in {saved}.") from error


def _scanned(
    request: TreatRequest,
    finished: Finished,
    subject: LanguageSubject,
    reference: LanguageSubject | None,
    folder: Path,
    before: Path | None,
    progress: Progress,
) -> tuple[Finished, tuple[Path, ...]]:
    """Scan before and under treatment, and write both side by side; a finding's own scan is the one ``before``."""
    from brainscan.clinic.compare import open_pair, write_comparison
    from brainscan.treatment.treated import treated

    after = folder / "after"
    if before is None:
        before = folder / "before"
        progress(0.82, "scanning before")
        _scan(request, subject, reference, before)
    progress(0.9, "scanning under treatment")
    with treated(subject, finished.treatment):
        _scan(request, subject, reference, after)
    page = folder / "compare.html"
    write_comparison(page, open_pair(before, after))
    record = finished.record.model_copy(update={"scans": (str(before), str(after))})
    return replace(finished, record=record), (page,)


def _scan(request: TreatRequest, subject: LanguageSubject, reference: LanguageSubject | None, folder: Path) -> None:
    from brainscan.clinic.seal import seal
    from brainscan.diagnosis.calibrations import calibration_for
    from brainscan.diagnosis.judge import judge
    from brainscan.diagnosis.record import write_diagnosis
    from brainscan.scan.run import run_plan

    plan = _scan_plan(request, subject, reference)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    scan = run_plan(plan, subject, reference, folder, command=request.command, started_utc=started)
    write_diagnosis(folder, judge(scan, calibration_for(scan)))
    seal(folder)


def _scan_plan(request: TreatRequest, subject: LanguageSubject, reference: LanguageSubject | None) -> ScanPlan:
    from brainscan.scan.plan import make_plan

    return make_plan(request.rescan or "quick", subject, reference, seed=request.seed, budget_minutes=None, only=())


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "subject"
