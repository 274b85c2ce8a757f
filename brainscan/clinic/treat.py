"""The verb treat: change what was found, measure what it did, and write it down. torch loads where it is needed.

Numbered acts: 1) load subject and reference; 2) say what is to be treated; 3) run the course; 4) scan again under
treatment, if asked; 5) write the record, the exports and the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.clinic.circuit import load
from brainscan.clinic.complaint import behaviour_of_file, behaviour_of_finding, behaviour_of_organism
from brainscan.clinic.library import open_scan
from brainscan.core.errors import UsageError
from brainscan.core.files import write_atomic
from brainscan.treatment.record import RECORD_FILE, TreatmentRecord

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject
    from brainscan.treatment.behaviour import Behaviour
    from brainscan.treatment.course import Finished, Plan
    from brainscan.treatment.make import Regimen
    from brainscan.treatment.protocol import Treatment

TREATMENTS = Path("treatments")
"""Where treatments go unless told otherwise, below the current folder."""

Progress = Callable[[float, str], None]


def silent(fraction: float, words: str) -> None:
    """Progress that nobody hears."""


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
        SubjectError: the model cannot be used. UsageError: the request cannot mean what it says, or an export is not
        possible for this kind. PlanError: there is nothing to test on. StorageError: the disk refused.
    """
    from brainscan.treatment.course import run_course
    from brainscan.treatment.saved import save_treatment

    _one_target(request.target)
    subject = load(request.subject, request.device, lambda f, w: progress(0.05 * f, w))
    reference = load(request.reference, request.device, progress=silent) if request.reference else None
    behaviour, answers = _behaviour(request.target)
    plan = _plan(request, behaviour, answers, reference is not None)
    finished = run_course(subject, behaviour, reference, plan, lambda f, w: progress(0.05 + 0.75 * f, w))
    folder = request.out or TREATMENTS / _slug(subject.card.name) / f"{plan.kind}-{finished.record.sha256[:8]}"
    progress(0.8, "writing")
    written = _export(request.exports, finished.treatment, subject)
    save_treatment(folder, finished.record, finished.treatment)
    if request.rescan is not None:
        finished, pages = _scanned(request, finished, subject, reference, folder, progress)
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


def _behaviour(target: Target) -> tuple[Behaviour, tuple[str, ...]]:
    if target.behaviour is not None:
        return behaviour_of_file(target.behaviour)
    if target.organism is not None:
        return behaviour_of_organism(target.organism), ()
    return behaviour_of_finding(open_scan(target.scan), target.finding or ""), ()


def _plan(request: TreatRequest, behaviour: Behaviour, answers: tuple[str, ...], reference: bool) -> Plan:
    from brainscan.scan.answers import classify
    from brainscan.scan.texts.requests import PAIRS
    from brainscan.treatment.course import Plan
    from brainscan.treatment.dose import Guard
    from brainscan.treatment.ledger import Material
    from brainscan.treatment.protocol import BASELINES
    from brainscan.treatment.relapse import Attack

    kind = request.kind or ("revert" if reference else "unlearn" if answers else "project-out")
    if kind == "unlearn" and not (reference or answers):
        raise UsageError(
            "Unlearning needs to know what shall be answered instead.",
            "Name the model it was trained from with --reference, or give answers in the file of --behaviour.",
        )
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


def _export(exports: Exports, treatment: Treatment, subject: LanguageSubject) -> tuple[Path, ...]:
    from brainscan.treatment.export import export_control_vector, export_lora, export_weights

    wanted = ((exports.lora, export_lora), (exports.weights, export_weights), (exports.gguf, export_control_vector))
    return tuple(export(treatment, subject, path) for path, export in wanted if path is not None)


def _scanned(
    request: TreatRequest,
    finished: Finished,
    subject: LanguageSubject,
    reference: LanguageSubject | None,
    folder: Path,
    progress: Progress,
) -> tuple[Finished, tuple[Path, ...]]:
    """Scan before and under treatment, and write both side by side; a finding's own scan is the one before."""
    from brainscan.clinic.compare import open_pair, write_comparison
    from brainscan.treatment.treated import treated

    before, after = folder / "before", folder / "after"
    if request.target.finding is not None:
        before = open_scan(request.target.scan).folder
    else:
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
    from brainscan.scan.plan import make_plan
    from brainscan.scan.run import run_plan

    plan = make_plan(request.rescan or "quick", subject, reference, seed=request.seed, budget_minutes=None, only=())
    started = datetime.now(UTC).isoformat(timespec="seconds")
    scan = run_plan(plan, subject, reference, folder, command=request.command, started_utc=started)
    write_diagnosis(folder, judge(scan, calibration_for(scan)))
    seal(folder)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "subject"
