"""Run a vision scan: self-check, survey, instruments, record. Resumable step by step like every scan.

The images are part of the plan: its hash covers their names, labels and sizes, so another folder is another scan.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.activations.images import ImageFile
from brainscan.core.errors import SelfCheckFailed, StorageError
from brainscan.core.evidence import Cost
from brainscan.core.provenance import sha256_of_json, versions
from brainscan.features.channels.pictures import reopen
from brainscan.features.channels.survey import framing_of, survey_channels
from brainscan.features.channels.table import ABOUT, ChannelTable, read_table
from brainscan.scan.journal import Journal
from brainscan.scan.record import Check, NotExamined, Plan, Provenance, Scan, Step, StepResult, write_scan
from brainscan.scan.run import reason
from brainscan.scan.vision.instrument import VISION_INSTRUMENTS, VisionExamination
from brainscan.scan.vision.self_check import self_check_vision
from brainscan.subject.progress import Progress, silent, stage
from brainscan.subject.vision.subject import VisionSubject

SURVEY = "channels"
"""Folder of the survey inside the scan's folder."""


@dataclass(frozen=True)
class VisionRun:
    """A finished run."""

    scan: Scan
    table: ChannelTable


def plan_vision(subject: VisionSubject, files: Sequence[ImageFile], seed: int = 0) -> Plan:
    """What a vision scan will do."""
    steps = tuple(_step(name, subject) for name in VISION_INSTRUMENTS)
    images = sha256_of_json([[image.name, image.label, _size(image)] for image in files])
    return Plan(name="vision", steps=steps, seed=seed, texts_sha256=images)


def run_vision(
    subject: VisionSubject,
    files: Sequence[ImageFile],
    folder: Path,
    *,
    images: Path,
    seed: int = 0,
    command: str = "",
    started_utc: str = "",
    progress: Progress = silent,
) -> VisionRun:
    """Scan a vision model over images into ``folder``.

    Raises:
        SelfCheckFailed: it does not compute the same thing twice. The record is written and says so.
        InputError: too few images can be used. StorageError: the disk refused.
    """
    clock = time.perf_counter()
    plan = plan_vision(subject, files, seed)
    key = sha256_of_json([subject.card.weights_sha256, plan.sha256(), versions().brainscan])
    checks = self_check_vision(subject, stage(progress, 0.0, 0.03))
    journal = Journal(folder, key)
    sound = all(check.passed for check in checks)
    results: tuple[StepResult, ...] = ()
    table: ChannelTable | None = None
    if sound:
        table = _survey(subject, files, folder / SURVEY, images, plan, stage(progress, 0.03, 0.6))
        results = _steps(plan, subject, table, journal, stage(progress, 0.6, 1.0))
    scan = Scan(
        id=key[:12],
        subject=subject.card,
        reference=None,
        plan=plan,
        self_check=checks,
        steps=results,
        not_examined=_not_examined(results),
        cost=Cost(seconds=round(time.perf_counter() - clock, 2)),
        provenance=Provenance(
            command=command,
            versions=versions(),
            device=subject.card.device,
            threads=torch.get_num_threads(),
            plan_sha256=plan.sha256(),
            started_utc=started_utc,
        ),
    )
    write_scan(folder, scan, journal.arrays)
    journal.close()
    if table is None:
        raise _failed(checks)
    progress(1.0, "done")
    return VisionRun(scan, table)


def _step(name: str, subject: VisionSubject) -> Step:
    instrument = VISION_INSTRUMENTS.get(name)
    return Step(
        instrument=name,
        title=instrument.title,
        settings=instrument.settings(),
        skip=instrument.skip(subject),
        version=instrument.version,
    )


def _size(image: ImageFile) -> int:
    try:
        return image.path.stat().st_size
    except OSError:
        return -1


def _survey(
    subject: VisionSubject, files: Sequence[ImageFile], out: Path, images: Path, plan: Plan, progress: Progress
) -> ChannelTable:
    """The survey, or the one that an interrupted scan of the same plan has finished."""
    mark = out / f"{plan.texts_sha256[:16]}-{subject.card.weights_sha256[:16]}"
    if (out / ABOUT).is_file() and mark.is_file():
        return read_table(out)
    table = survey_channels(subject, files, out, folder=images, progress=progress)
    mark.touch()
    return table


def _steps(
    plan: Plan, subject: VisionSubject, table: ChannelTable, journal: Journal, progress: Progress
) -> tuple[StepResult, ...]:
    count = len(plan.steps)
    return tuple(
        _result(step, plan, subject, table, journal, stage(progress, i / count, (i + 1) / count))
        for i, step in enumerate(plan.steps)
    )


def _result(
    step: Step, plan: Plan, subject: VisionSubject, table: ChannelTable, journal: Journal, progress: Progress
) -> StepResult:
    if step.skip:
        return StepResult(instrument=step.instrument, outcome="skipped", reason=step.skip)
    if step.instrument in journal.done:
        return journal.done[step.instrument]
    clock = time.perf_counter()

    def pixels(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return reopen(table, list(map(int, rows)), framing_of(subject))

    def moved(fraction: float, words: str) -> None:
        progress(fraction, f"{step.instrument}: {words}")

    examination = VisionExamination(subject, table, pixels, step, plan.seed, moved)
    try:
        report = VISION_INSTRUMENTS.get(step.instrument).run(examination)
    except StorageError:
        raise
    except Exception as error:  # as in a scan of a language model
        return StepResult(instrument=step.instrument, outcome="failed", reason=reason(error))
    result = StepResult(
        instrument=step.instrument,
        outcome="done",
        measurements=report.measurements,
        evidence=report.evidence,
        cost=Cost(seconds=round(time.perf_counter() - clock, 2)),
        notes=report.notes,
    )
    journal.add(result, report.arrays)
    return result


def _failed(checks: tuple[Check, ...]) -> SelfCheckFailed:
    wrong = [check for check in checks if not check.passed]
    return SelfCheckFailed(
        f"The numerical self-check failed ({len(wrong)} of {len(checks)}): {wrong[0].name}: {wrong[0].found}, "
        f"allowed {wrong[0].tolerance:g}.",
        "Nothing measured on this model can be trusted here; check that it is in eval mode and treats images alone.",
    )


def _not_examined(results: tuple[StepResult, ...]) -> tuple[NotExamined, ...]:
    rows = [
        NotExamined(
            item=f"{result.instrument} {'failed' if result.outcome == 'failed' else 'was left out'}",
            reason=result.reason,
            could_hide=f"anything that only the instrument {result.instrument} would see",
            how_to_examine="give images or a model that it can look at",
        )
        for result in results
        if result.outcome != "done"
    ]
    return (
        *rows,
        NotExamined(
            item="Triggers larger than a small square, or spread over the image",
            reason="the search moves one small opaque square",
            could_hide="blended, large, or moving triggers",
            how_to_examine="no instrument for it yet",
        ),
        NotExamined(
            item="What no image of the folder shows",
            reason="channels are known by these images alone",
            could_hide="channels that answer to something else",
            how_to_examine="scan with more and other images",
        ),
    )
