"""A few plain threads for kernels that release the interpreter's lock.

BLAS is held to one thread inside, since each of ours runs a product of its own: this is faster than one
product on all cores followed by kernels (no idle team of threads spins beside them), and a product's
result does not depend on how many threads there are.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool:
    """Runs a function over items on ``threads`` threads; results come in the order of the items.

    Args:
        threads: None: as many as this process may use cores.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or cores()
        self._executor = ThreadPoolExecutor(self.threads) if self.threads > 1 else None
        self._blas = ThreadpoolController()

    def run(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """``work`` of every item. An exception of any of them is raised here."""
        if self._executor is None:
            return [work(item) for item in items]
        return list(self._executor.map(work, items))

    @contextlib.contextmanager
    def blas_alone(self) -> Iterator[None]:
        """Within the block, a BLAS product uses the thread that calls it and no other."""
        with self._blas.limit(limits=1, user_api="blas"):
            yield


def cores() -> int:
    """Cores that this process may use (all of the machine's, where the system does not say)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
