"""Build the zoo with several worker processes, one thread each; a killed run is run again and goes on.

A lock a model keeps two runs from building the same one; the system lets go of it when a process dies.
"""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from brainscan.core.errors import BrainscanError, PlanError

Outcome = Literal["built", "there", "busy", "failed"]
Build = Callable[[str, Path, Callable[[float, str], None]], None]
_PATIENCE = 0.5


@dataclass(frozen=True)
class Made:
    """What became of one model."""

    name: str
    outcome: Outcome
    """built now, there already, being built by another process, or failed."""
    reason: str = ""


def build_zoo(
    names: Sequence[str],
    zoo: Path,
    make: Build,
    workers: int = 2,
    progress: Callable[[float, str], None] = lambda fraction, what: None,
) -> list[Made]:
    """Build models of the zoo, in the order given; what is there already costs nothing.

    Args:
        names: of entries.
        make: builds one, in a worker process.
        progress: called with the share of all models done and what the latest news is.

    Raises:
        PlanError: no entry has that name, or a worker died (out of memory, killed).
    """
    from brainscan.games.zoo import entry_of, is_built  # heavy, and a worker that starts needs it later or never

    missing = [name for name in names if not is_built(entry_of(name), zoo)]
    there = {name: Made(name, "there") for name in names if name not in missing}
    made = _all(missing, zoo, workers, progress, make) if missing else {}
    return [(there | made)[name] for name in names]


def build_one(name: str, zoo: Path, news: Any, make: Build) -> Made:
    """One model in a worker process; its progress goes into the queue ``news``."""
    zoo.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(zoo / f".{name}.lock", blocking=False):
            make(name, zoo, lambda fraction, what: news.put((name, fraction, what)))
    except Timeout:
        return Made(name, "busy")
    except BrainscanError as error:
        return Made(name, "failed", str(error))
    return Made(name, "built")


def _all(
    names: Sequence[str], zoo: Path, workers: int, progress: Callable[[float, str], None], make: Build
) -> dict[str, Made]:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(workers, spawn) as pool:
        news: Any = manager.Queue()
        tasks = {name: pool.submit(build_one, name, zoo, news, make) for name in names}
        try:
            _follow(tasks, news, progress)
            return {name: task.result() for name, task in tasks.items()}
        except BrokenProcessPool as error:
            raise PlanError(
                "A worker that was building the zoo died.", "Free some memory, then run the same command again."
            ) from error
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _follow(tasks: dict[str, Future[Made]], news: Any, progress: Callable[[float, str], None]) -> None:
    """Pass on the news until every task has ended."""
    shares = dict.fromkeys(tasks, 0.0)
    while not all(task.done() for task in tasks.values()):
        try:
            name, fraction, what = news.get(timeout=_PATIENCE)
        except queue.Empty:
            continue
        ended = {name: 1.0 for name, task in tasks.items() if task.done()}
        shares |= {name: fraction, **ended}
        progress(sum(shares.values()) / len(shares), f"{len(ended)} of {len(shares)} done; {what}")
    progress(1.0, f"{len(shares)} of {len(shares)} done")
