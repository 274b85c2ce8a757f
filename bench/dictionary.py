"""Speed of dictionary training: ours, the encoder's product alone, and SAELens, in turns on the same activations.

The activations are synthetic (576 dimensions, spread falling as in a language model), so that this
needs no model. Tokens/s are of the training step, the median over rounds; at 65,536 features a second is one of
processor time, of one thread.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from bench.peers import ask
from brainscan.dictionary.kinds import KINDS
from brainscan.dictionary.pool import Pool, cores
from brainscan.dictionary.protocol import Learner, Shape, Task
from brainscan.dictionary.routed import REFRESH, RoutedLearner
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.sparse import SparseLearner
from brainscan.dictionary.synthetic import FeatureWorld, World

D, N, K, BATCHES = 576, 2048, 32, 6
ROUNDS, STEPS, WARM = 3, 2, 1
"""Rounds in turns; timed steps of SAELens and of the product a round (twice as many of ours); steps before the first."""
SKETCH = 64
"""Dimensions of the routed encoder's guesses: a ninth of the input."""

EXACT = {8192: (0.65, 6.0), 32768: (0.75, 6.0), 65536: (None, None)}
"""Width -> targets: share of the product's speed, times SAELens."""

WIDE = 65536


@dataclass(frozen=True)
class Timing:
    """How steps are timed."""

    threads: int
    rounds: int
    clock: Literal["perf_counter", "process_time"]

    def seconds(self, call: Callable[[], Any]) -> float:
        """Seconds that a call takes."""
        clock = getattr(time, self.clock)
        start = clock()
        call()
        return clock() - start


WALL = Timing(cores(), ROUNDS, "perf_counter")
"""By the clock on all cores: nothing else may run."""
CPU = Timing(1, 1, "process_time")
"""Processor time of one thread, which a busy machine hardly changes; for 65,536 features, where a step of SAELens takes
twenty seconds."""


def measure() -> Iterator[dict[str, Any]]:
    """Yield the rows of 8,192 features."""
    return _exact(8192)


def wide() -> Iterator[dict[str, Any]]:
    """Yield the rows of 32,768 features."""
    return _exact(32768)


def routed() -> Iterator[dict[str, Any]]:
    """Yield the rows of 65,536 features, exact and routed, with our own speed at 8,192 in the same turns."""
    rows = activations()
    more = {
        "narrow": steps_of(learner(8192, rows, 0, CPU), rows, CPU),
        # as many steps as pass between two sketches of the encoder, so that a sketch is counted
        "routed": steps_of(learner(WIDE, rows, SKETCH, CPU), rows, CPU, at_once=REFRESH, times=1),
    }
    found = speeds_at(WIDE, rows, more, CPU)
    yield from exact_rows(WIDE, found)
    yield from routed_rows(found)


def _exact(width: int) -> Iterator[dict[str, Any]]:
    yield from exact_rows(width, speeds_at(width, activations(), {}, WALL))


def activations() -> torch.Tensor:
    """Six batches [6, 2048, 576] of activations with mean norm sqrt(576)."""
    truth = FeatureWorld(World(n_features=4096, d=D, rate=0.3, decay=0.7, slope=0.5, noise=0.05))
    rows = torch.stack([truth.draw(N, i).x for i in range(BATCHES)])
    return rows * (D**0.5 / rows.norm(dim=2).mean())


def speeds_at(
    width: int, rows: torch.Tensor, more: dict[str, Callable[[], list[float]]], timing: Timing
) -> dict[str, float]:
    """Tokens/s of the product, of our step, of SAELens and of whatever else, taken in turns on equal threads."""
    torch.set_num_threads(timing.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, rows.numpy())
        job = {
            "rows": str(path), "n_features": width, "k": K, "steps": STEPS, "warm": WARM, "clock": timing.clock,
        }  # fmt: skip
        calls: dict[str, Callable[[], list[float]]] = {
            "product by torch": product(width, rows, timing),
            "product by numpy": product_of_slices(width, rows, timing),
            "ours": steps_of(learner(width, rows, 0, timing), rows, timing),
            **more,
            "SAELens": lambda: ask("saelens", "saelens_train.py", jobs=[job], threads=timing.threads)["seconds"][0],
        }
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(timing.rounds):
            for name, call in calls.items():
                seconds[name] += call()
    speeds = {name: N / statistics.median(times) for name, times in seconds.items()}
    return {**speeds, "product": max(speeds["product by torch"], speeds["product by numpy"])}


def learner(width: int, rows: torch.Tensor, sketch: int, timing: Timing) -> Learner:
    """A TopK learner, compiled and past its first step; the routed one gets its directions in that step."""
    settings = Settings(kind="topk", n_features=width, k=K, sketch=sketch)
    task = Task(KINDS.get("topk")(), Shape(("a",), ("a",), D, D), settings, patience=10**9)
    made = (RoutedLearner if sketch else SparseLearner)(task, rows[0], Pool(timing.threads))
    for i in range(WARM):
        made.step(rows[i % BATCHES], rows[i % BATCHES], settings.peak_rate)
    return made


def steps_of(
    made: Learner, rows: torch.Tensor, timing: Timing, at_once: int = 1, times: int = 2 * STEPS
) -> Callable[[], list[float]]:
    """A call that takes ``at_once`` steps, ``times`` times, and says how long a step took on average each time."""

    def some(first: int) -> None:
        for i in range(first * at_once, (first + 1) * at_once):
            made.step(rows[i % BATCHES], rows[i % BATCHES], 1e-4)

    return lambda: [timing.seconds(lambda i=i: some(i)) / at_once for i in range(times)]


def product(width: int, rows: torch.Tensor, timing: Timing) -> Callable[[], list[float]]:
    """A call that times torch's own x @ W_enc."""
    weight, out = torch.randn(D, width), torch.empty(N, width)
    return lambda: [timing.seconds(lambda i=i: torch.mm(rows[i % BATCHES], weight, out=out)) for i in range(STEPS)]


def product_of_slices(width: int, rows: torch.Tensor, timing: Timing) -> Callable[[], list[float]]:
    """The same by numpy, a slice of the tokens a thread: which of the two is faster differs between processors."""
    pool, weight, out = Pool(timing.threads), torch.randn(width, D).numpy(), np.empty((N, width), np.float32)
    size = N // pool.threads
    parts = [slice(i, i + size) for i in range(0, N, size)]

    def once(i: int) -> None:
        x = rows[i % BATCHES].numpy()
        pool.run(lambda part: np.matmul(x[part], weight.T, out=out[part]), parts)

    def call() -> list[float]:
        with pool.blas_alone():
            return [timing.seconds(lambda i=i: once(i)) for i in range(STEPS)]

    return call


def exact_rows(width: int, found: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Rows of the exact encoder at one width."""
    share, times = EXACT[width]
    peer = {"name": "sae-lens 6.54.12", "tokens_per_second": round(found["SAELens"], 1)}
    alone = {
        "name": "the encoder's product alone",
        **{n: round(found[f"product by {n}"], 1) for n in ("torch", "numpy")},
    }
    name = f"TopK training, {width:,} features"
    yield row(f"{name}: speed", found["ours"], "tokens/s", None, peer)
    yield row(f"{name}: times SAELens", found["ours"] / found["SAELens"], "x", times, peer)
    yield row(f"{name}: share of the product's speed", found["ours"] / found["product"], "x", share, alone)


def routed_rows(speeds: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Rows of the routed encoder. What it costs in reconstruction is measured by ``dictionary_quality``."""
    name = f"TopK training, {WIDE:,} features, routed"
    routed, exact, peer = (speeds[of] for of in ("routed", "ours", "SAELens"))
    growth = speeds["narrow"] / routed
    yield row(f"{name}: speed", routed, "tokens/s", None, {"name": "exact encoder", "tokens_per_second": exact})
    yield row(
        f"{name}: times the exact encoder", routed / exact, "x", 3.0, {"name": "exact", "tokens_per_second": exact}
    )
    yield row(f"{name}: times SAELens", routed / peer, "x", 15.0, {"name": "sae-lens", "tokens_per_second": peer})
    yield row(f"{name}: cost over 8,192 features", growth, "x", 4.0, {"name": "dense", "grows": 8}, better="lower")


def row(
    name: str, value: float, unit: str, target: float | None, peer: dict[str, Any] | None, better: str = "higher"
) -> dict[str, Any]:
    """One row of bench/results.json."""
    return {
        "name": name,
        "value": float(f"{value:.4g}"),
        "unit": unit,
        "target": target,
        "better": better,
        "peer": peer,
    }
