"""The one trainer: several dictionaries over one stream of activations, with a journal and exact resume.

1. open       the newest checkpoint, if the folder has one, and the stream where it stood
2. begin      learners of every request, scaled by the first batch
3. step       each batch goes to each learner; the journal gets a line now and then
4. checkpoint learners and stream, written whole under a new name before the old one goes
5. finish     a last checkpoint, and the dictionaries

A run that was killed and begun again ends with the same weights, bit for bit on the CPU of one machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from brainscan.activations.stream import Stream
from brainscan.core.errors import RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.provenance import sha256_of_json
from brainscan.dictionary.checkpoint import Checkpoint, Journal, newest_checkpoint, write_checkpoint
from brainscan.dictionary.dense import DenseLearner
from brainscan.dictionary.dictionary import Dictionary, DictionarySet, side_by_side
from brainscan.dictionary.kinds import KINDS
from brainscan.dictionary.pool import Pool
from brainscan.dictionary.protocol import Learner, Shape, StepReport, Task
from brainscan.dictionary.routed import RoutedLearner
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.sparse import SparseLearner

OpenStream = Callable[[dict[str, Any] | None], Stream]
"""Opens the stream at its beginning (None) or at the state that it once gave (as JSON values)."""

Progress = Callable[[float, str], None]
"""Is told the share done, 0 to 1, and a line of words."""


class Request(Record):
    """One dictionary that a run is to train."""

    name: str
    """Unique within the run."""
    settings: Settings = Settings()
    reads: tuple[str, ...]
    """Sites read, canonical spelling."""
    writes: tuple[str, ...] = ()
    """Sites written; empty: the sites read."""


class RunPlan(Record):
    """What a run trains, and how long."""

    requests: tuple[Request, ...]
    steps: int
    """Batches of the stream; fewer if it ends before."""
    journal_every: int = 50
    """Steps between lines of the journal."""
    checkpoint_every: int = 1000
    """Steps between checkpoints. Source: sparsify's save_every."""


@dataclass(frozen=True)
class Trained:
    """What a run ends with."""

    dictionaries: Mapping[str, Dictionary | DictionarySet]
    steps: int
    """Steps taken: the plan's, or fewer when the stream ended."""
    tokens: int
    resumed_at: int
    """Step at which this call began; 0 for a fresh run."""


@dataclass
class _Run:
    """A run in progress."""

    plan: RunPlan
    stream: Stream
    journal: Journal
    learners: dict[str, Learner]
    scales: dict[str, tuple[float, float]]
    step: int = 0
    tokens: int = 0


def train(
    open_stream: OpenStream,
    plan: RunPlan,
    folder: Path,
    *,
    threads: int | None = None,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Trained:
    """Train every dictionary of a plan; continues by itself when the folder holds a checkpoint of it.

    Args:
        open_stream: opens the stream of activations; every site of the plan must be among its sites.
        folder: receives ``journal.jsonl`` and ``checkpoint-<step>``.
        threads: for the sparse engine; None: as many as there are cores. Results do not depend on it.
        device: "cpu" lets kinds that can be trained sparsely be so; others train densely there.

    Raises:
        UsageError: a site is missing from the stream, a name is used twice, or the stream is empty.
        RecordError: the checkpoint belongs to another plan or another stream, or is broken.
        StorageError: the folder cannot be written.
    """
    _check(plan)
    pool = Pool(threads)
    found = newest_checkpoint(folder)
    run = _open(open_stream, plan, folder, found)
    began = run.step
    if found is not None:
        for request in plan.requests:
            _begin(run, request, None, pool, device)
            run.learners[request.name].restore(found.learners[request.name])
    _steps(run, folder, pool, device, progress)
    if not run.learners:
        raise UsageError("The stream gave no batch, so there is nothing to learn from.", "Give more text.")
    if run.step > began or found is None:
        _save(run, folder)
    made = {name: _labelled(learner.dictionary(), run) for name, learner in run.learners.items()}
    return Trained(made, run.step, run.tokens, began)


def _check(plan: RunPlan) -> None:
    names = [request.name for request in plan.requests]
    if not names or len(set(names)) < len(names) or plan.steps < 1:
        raise UsageError(
            "A run needs at least one step and one dictionary, and each dictionary a name of its own.",
            "Check the names and the number of steps.",
        )


def _open(open_stream: OpenStream, plan: RunPlan, folder: Path, found: Checkpoint | None) -> _Run:
    stream = open_stream(None if found is None else found.stream)
    journal = Journal(folder / "journal.jsonl", 0 if found is None else found.journal_bytes)
    if found is None:
        return _Run(plan, stream, journal, {}, {})
    if found.plan_sha256 != _identity(plan) or found.stream_identity != stream.identity:
        raise RecordError(
            f"The checkpoint in {folder} belongs to another plan or another stream of activations.",
            "Choose another folder, or give the plan and the texts that it was begun with.",
        )
    return _Run(plan, stream, journal, {}, dict(found.scales), found.step, found.tokens)


def _steps(run: _Run, folder: Path, pool: Pool, device: torch.device | str, progress: Progress | None) -> None:
    if run.step >= run.plan.steps:
        return
    clock, since = time.perf_counter(), run.tokens
    for batch in run.stream:
        x = {str(site): values for site, values in batch.values.items()}
        for request in run.plan.requests:
            if request.name not in run.learners:
                _begin(run, request, x, pool, device)
        reports = {request.name: _step(run, request, x) for request in run.plan.requests}
        run.step += 1
        run.tokens += len(batch.tokens)
        last = run.step == run.plan.steps
        if run.step % run.plan.journal_every == 0 or last or run.step == 1:
            speed = (run.tokens - since) / max(1e-9, time.perf_counter() - clock)
            run.journal.write(_line(run, reports, x, speed))
            clock, since = time.perf_counter(), run.tokens
            if progress:
                progress(run.step / run.plan.steps, f"step {run.step:,} of {run.plan.steps:,}, {speed:,.0f} tokens/s")
        if last:
            return
        if run.step % run.plan.checkpoint_every == 0:
            _save(run, folder)


def _step(run: _Run, request: Request, x: Mapping[str, torch.Tensor]) -> StepReport:
    read, written = _ends(request, x)
    return run.learners[request.name].step(read, written, request.settings.rate(run.step, run.plan.steps))


def _ends(request: Request, x: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    read = side_by_side(x, request.reads)
    return read, side_by_side(x, request.writes) if request.writes else read


def _begin(
    run: _Run, request: Request, x: Mapping[str, torch.Tensor] | None, pool: Pool, device: torch.device | str
) -> None:
    """Make the learner of a request; without a batch its weights wait to be restored."""
    writes = request.writes or request.reads
    d_in, d_out = (_width(run.stream, sites) for sites in (request.reads, writes))
    target = torch.zeros(1, d_out)
    if x is not None:
        read, target = _ends(request, x)
        run.scales[request.name] = (_scale(read), _scale(target))
    tokens = run.plan.steps * run.stream.batch
    settings = request.settings
    task = Task(
        KINDS.get(settings.kind)(),
        Shape(request.reads, writes, d_in, d_out),
        settings,
        settings.patience(tokens),
        *run.scales[request.name],
    )
    run.learners[request.name] = _learner(task, target, pool, torch.device(device))


def _learner(task: Task, y: torch.Tensor, pool: Pool, device: torch.device) -> Learner:
    path = task.settings.path
    if path == "auto":
        path = "sparse" if task.kind.selection and device.type == "cpu" else "dense"
    if path == "dense":
        return DenseLearner(task, y, device)
    return RoutedLearner(task, y, pool) if task.settings.sketch else SparseLearner(task, y, pool)


def _width(stream: Stream, sites: tuple[str, ...]) -> int:
    widths = {str(site): d for site, d in stream.widths.items()}
    if missing := [site for site in sites if site not in widths]:
        raise UsageError(
            f"The stream of activations has no {', '.join(missing)}.", f"Its sites are {', '.join(widths)}."
        )
    return sum(widths[site] for site in sites)


def _scale(x: torch.Tensor) -> float:
    """What makes the mean norm of rows [n, d] sqrt(d). Source: SAELens's expected_average_only_in."""
    norm = float(x.float().norm(dim=1).mean())
    if not math.isfinite(norm) or norm == 0:
        raise UsageError("The activations are zero or not finite.", "Check the model and the site.")
    return math.sqrt(x.shape[1]) / norm


def _line(run: _Run, reports: Mapping[str, StepReport], x: Mapping[str, torch.Tensor], speed: float) -> dict[str, Any]:
    lines = {}
    for request in run.plan.requests:
        report, y = reports[request.name], _ends(request, x)[1] * run.scales[request.name][1]
        spread = float((y - y.mean(0)).square().sum())
        lines[request.name] = {
            "explained_variance": 1 - report.squared_error / max(spread, 1e-30),
            "l0": report.l0,
            "dead": report.dead,
            "rate": request.settings.rate(run.step - 1, run.plan.steps),
        }
    return {"step": run.step, "tokens": run.tokens, "tokens_per_second": speed, "dictionaries": lines}


def _save(run: _Run, folder: Path) -> None:
    stands = Checkpoint(
        plan_sha256=_identity(run.plan),
        stream_identity=run.stream.identity,
        stream=run.stream.state().model_dump(mode="json"),
        step=run.step,
        tokens=run.tokens,
        journal_bytes=run.journal.size,
        scales=run.scales,
        learners={name: learner.state() for name, learner in run.learners.items()},
    )
    write_checkpoint(folder, stands)


def _identity(plan: RunPlan) -> str:
    return sha256_of_json(plan.model_dump(mode="json"))


def _labelled(made: Dictionary | DictionarySet, run: _Run) -> Dictionary | DictionarySet:
    facts = {"stream": run.stream.identity, "steps": run.step, "tokens": run.tokens}
    return replace(made, about={**made.about, **facts})
