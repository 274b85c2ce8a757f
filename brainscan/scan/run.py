"""Run a plan on a subject: step by step, journalled, resumable, each step's failure its own.

Numbered phases: 1) self-check; 2) steps in the plan's order, those in the journal left out;
3) pack the record and write it last.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from brainscan.core.errors import BrainscanError, SelfCheckFailed, StorageError
from brainscan.core.evidence import Cost
from brainscan.core.provenance import sha256_of_json, versions
from brainscan.core.visible import visible
from brainscan.scan.instrument import INSTRUMENTS, Examination
from brainscan.scan.journal import Journal
from brainscan.scan.record import (
    Check,
    NotExamined,
    Plan,
    Provenance,
    Scan,
    Step,
    StepResult,
    read_arrays,
    read_scan,
    write_scan,
)
from brainscan.scan.self_check import self_check

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Watch:
    """What a caller may want to be told while a scan runs."""

    checked: Callable[[tuple[Check, ...]], None] = field(default=lambda checks: None)
    started: Callable[[Step], None] = field(default=lambda step: None)
    moved: Callable[[Step, float, str], None] = field(default=lambda step, fraction, words: None)
    finished: Callable[[Step, StepResult], None] = field(default=lambda step, result: None)


def run_plan(
    plan: Plan,
    subject: LanguageSubject,
    reference: LanguageSubject | None,
    folder: Path,
    *,
    command: str,
    started_utc: str,
    watch: Watch = Watch(),
    again: bool = False,
) -> Scan:
    """Run the plan and write the scan into ``folder``; resumes a journal of the same plan there.

    Args:
        again: ``folder`` holds a finished scan of the same pair; what it measured in the same way is taken over.

    Raises:
        SelfCheckFailed: the model does not compute the same thing twice; the record is written, and says so.
        StorageError: the disk refused; what was finished is in the journal.
    """
    clock = time.perf_counter()
    key = scan_key(plan, subject, reference)
    journal = Journal(folder, key)
    if again:
        _adopt(journal, folder, plan)
    before = sum(result.cost.seconds for result in journal.done.values())
    checks = _check(subject, reference)
    watch.checked(checks)
    sound = all(check.passed for check in checks)
    results = tuple(_result(step, plan, subject, reference, journal, watch) for step in plan.steps) if sound else ()
    scan = Scan(
        id=key[:12],
        subject=subject.card,
        reference=reference.card if reference else None,
        plan=plan,
        self_check=checks,
        steps=results,
        not_examined=_not_examined(plan, results, reference),
        cost=_total(results, before + time.perf_counter() - clock),
        provenance=Provenance(
            command=command,
            versions=versions(),
            device=str(subject.device),
            threads=torch.get_num_threads(),
            plan_sha256=plan.sha256(),
            started_utc=started_utc,
        ),
    )
    write_scan(folder, scan, journal.arrays)
    journal.close()
    if not sound:
        raise _failed(checks)
    return scan


def scan_key(plan: Plan, subject: LanguageSubject, reference: LanguageSubject | None) -> str:
    """Hash over everything that decides what a scan measures."""
    packages = versions().packages
    other = reference.card.weights_sha256 if reference else None
    return sha256_of_json([plan.sha256(), subject.card.weights_sha256, subject.card.tokenizer_sha256, other, packages])


def _adopt(journal: Journal, folder: Path, plan: Plan) -> None:
    """Enter unchanged steps of the finished scan in the folder into the journal."""
    earlier, arrays = read_scan(folder), read_arrays(folder)
    if earlier.plan.seed != plan.seed:
        return
    parts = {step.instrument: step.part for step in plan.steps}
    same = {step.instrument for step in earlier.plan.steps if parts.get(step.instrument) == step.part}
    kept = [result for result in earlier.steps if result.outcome == "done" and result.instrument in same]
    for result in kept:
        names = {name for figure in result.figures for name in (figure.array, figure.band) if name}
        journal.add(result, {name: arrays[name] for name in names})


def _check(subject: LanguageSubject, reference: LanguageSubject | None) -> tuple[Check, ...]:
    checks = self_check(subject)
    if reference is None:
        return checks
    return (*checks, *(c.model_copy(update={"name": f"reference: {c.name}"}) for c in self_check(reference)))


def _result(
    step: Step, plan: Plan, subject: LanguageSubject, reference: LanguageSubject | None, journal: Journal, watch: Watch
) -> StepResult:
    if step.skip:
        result = StepResult(instrument=step.instrument, outcome="skipped", reason=step.skip)
    elif step.instrument in journal.done:
        result = journal.done[step.instrument]
    else:
        watch.started(step)
        result = _run(step, plan.seed, subject, reference, journal, watch)
    watch.finished(step, result)
    return result


def _run(
    step: Step, seed: int, subject: LanguageSubject, reference: LanguageSubject | None, journal: Journal, watch: Watch
) -> StepResult:
    clock = time.perf_counter()
    examination = Examination(subject, reference, step, seed, lambda f, words: watch.moved(step, f, words))
    try:
        report = INSTRUMENTS.get(step.instrument).run(examination)
    except StorageError:
        raise
    except Exception as error:  # out of memory, a library's own: the other steps need not be lost with this one
        return StepResult(instrument=step.instrument, outcome="failed", reason=reason(error), cost=_since(clock, step))
    result = StepResult(
        instrument=step.instrument,
        outcome="done",
        measurements=report.measurements,
        evidence=report.evidence,
        figures=report.figures,
        notes=report.notes,
        cost=_since(clock, step),
    )
    journal.add(result, report.arrays)
    return result


def reason(error: Exception) -> str:
    """Why a step failed, in one line; where the message is not ours, with the kind of error and where it was raised."""
    if isinstance(error, BrainscanError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    said = visible(f"{type(error).__name__}: {error}".splitlines()[0], keep="", limit=300)
    return f"{said} ({Path(last.filename).name}, line {last.lineno})"


def _since(clock: float, step: Step) -> Cost:
    seconds = round(time.perf_counter() - clock, 2)
    return Cost(seconds=seconds, tokens_read=step.tokens_read, tokens_written=step.tokens_written)


def _total(results: tuple[StepResult, ...], seconds: float) -> Cost:
    return Cost(
        seconds=round(seconds, 2),
        tokens_read=sum(r.cost.tokens_read for r in results),
        tokens_written=sum(r.cost.tokens_written for r in results),
    )


def _failed(checks: tuple[Check, ...]) -> SelfCheckFailed:
    wrong = [check for check in checks if not check.passed]
    first = wrong[0]
    return SelfCheckFailed(
        f"The numerical self-check failed ({len(wrong)} of {len(checks)}): {first.name}: {first.found}, "
        f"allowed {first.tolerance:g}.",
        "Nothing measured on this model can be trusted here; check its weights and the transformers version.",
    )


def _not_examined(
    plan: Plan, results: tuple[StepResult, ...], reference: LanguageSubject | None
) -> tuple[NotExamined, ...]:
    rows = [
        NotExamined(
            item=step.title,
            reason=step.skip,
            could_hide=f"anything that only the instrument {step.instrument} would see",
            how_to_examine="give --reference"
            if "reference" in step.skip
            else "raise --budget or choose a larger --plan",
        )
        for step in plan.steps
        if step.skip
    ]
    rows += [
        NotExamined(
            item=f"{result.instrument} failed",
            reason=result.reason,
            could_hide=f"anything that only the instrument {result.instrument} would see",
            how_to_examine="fix the cause named and run the same command again",
        )
        for result in results
        if result.outcome == "failed"
    ]
    return (*rows, *_ALWAYS)


_ALWAYS = (
    NotExamined(
        item="Languages other than English",
        reason="every prompt and text is English",
        could_hide="behaviour that shows only in another language",
        how_to_examine="no instrument for it yet",
    ),
    NotExamined(
        item="Long contexts, several turns, tools and images",
        reason="prompts are single turns of at most a few hundred tokens",
        could_hide="triggers deep in a long context, behaviour as an agent",
        how_to_examine="no instrument for it yet",
    ),
)
