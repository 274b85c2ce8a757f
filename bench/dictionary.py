"""Speed of dictionary training: ours, the encoder's product alone, and SAELens, in turns on the same activations.

The activations are synthetic (576 dimensions, spread falling as in a language model), so that this
needs no model. Tokens/s are of the training step, the median over rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.peers import ask
from brainscan.dictionary.kinds import KINDS
from brainscan.dictionary.pool import Pool, cores
from brainscan.dictionary.protocol import Learner, Shape, Task
from brainscan.dictionary.routed import RoutedLearner
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.sparse import SparseLearner
from brainscan.dictionary.synthetic import FeatureWorld, World

D, N, K, BATCHES = 576, 2048, 32, 6
ROUNDS, FEW, STEPS, WARM = 3, 2, 2, 1
"""Rounds in turns (few at 65,536 features, where SAELens takes ten seconds a step); timed steps of SAELens and of the product a round (twice as many of ours); steps before the first."""
SKETCH = 64
"""Dimensions of the routed encoder's guesses: a ninth of the input."""

EXACT = {8192: (0.65, 6.0), 32768: (0.75, 6.0), 65536: (None, None)}
"""Width -> targets: share of the product's speed, times SAELens."""

WIDE = 65536


def measure() -> Iterator[dict[str, Any]]:
    """Yield the rows of 8,192 features."""
    return _exact(8192)


def wide() -> Iterator[dict[str, Any]]:
    """Yield the rows of 32,768 features."""
    return _exact(32768)


def routed() -> Iterator[dict[str, Any]]:
    """Yield the rows of 65,536 features, exact and routed, with our own speed at 8,192 in the same turns."""
    rows = activations()
    narrow = steps_of(learner(8192, rows, 0), rows)
    found = speeds_at(WIDE, rows, {"narrow": narrow, "routed": steps_of(learner(WIDE, rows, SKETCH), rows)})
    yield from exact_rows(WIDE, found)
    yield from routed_rows(found)


def _exact(width: int) -> Iterator[dict[str, Any]]:
    yield from exact_rows(width, speeds_at(width, activations(), {}))


def activations() -> torch.Tensor:
    """Six batches [6, 2048, 576] of activations with mean norm sqrt(576)."""
    truth = FeatureWorld(World(n_features=4096, d=D, rate=0.3, decay=0.7, slope=0.5, noise=0.05))
    rows = torch.stack([truth.draw(N, i).x for i in range(BATCHES)])
    return rows * (D**0.5 / rows.norm(dim=2).mean())


def speeds_at(width: int, rows: torch.Tensor, more: dict[str, Callable[[], list[float]]]) -> dict[str, float]:
    """Tokens/s of the product, of our step, of SAELens and of whatever else, taken in turns."""
    torch.set_num_threads(cores())  # the product and SAELens get every core, as ours does
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, rows.numpy())
        job = {"rows": str(path), "n_features": width, "k": K, "steps": STEPS, "warm": WARM}
        calls: dict[str, Callable[[], list[float]]] = {
            "product by torch": product(width, rows),
            "product by numpy": product_of_slices(width, rows),
            "ours": steps_of(learner(width, rows, 0), rows),
            **more,
            "SAELens": lambda: ask("saelens", "saelens_train.py", jobs=[job], threads=cores())["seconds"][0],
        }
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(FEW if width == WIDE else ROUNDS):
            for name, call in calls.items():
                seconds[name] += call()
    speeds = {name: N / statistics.median(times) for name, times in seconds.items()}
    return {**speeds, "product": max(speeds["product by torch"], speeds["product by numpy"])}


def learner(width: int, rows: torch.Tensor, sketch: int) -> Learner:
    """A TopK learner, compiled and past its first steps (the routed one past its first turn of directions)."""
    settings = Settings(kind="topk", n_features=width, k=K, sketch=sketch)
    task = Task(KINDS.get("topk")(), Shape(("a",), ("a",), D, D), settings, patience=10**9)
    made = (RoutedLearner if sketch else SparseLearner)(task, rows[0], Pool())
    for i in range(WARM):
        made.step(rows[i % BATCHES], rows[i % BATCHES], settings.peak_rate)
    return made


def steps_of(made: Learner, rows: torch.Tensor) -> Callable[[], list[float]]:
    """A call that takes ``STEPS`` steps and says how long each took."""

    def call() -> list[float]:
        return [timed(lambda i=i: made.step(rows[i % BATCHES], rows[i % BATCHES], 1e-4)) for i in range(2 * STEPS)]

    return call


def product(width: int, rows: torch.Tensor) -> Callable[[], list[float]]:
    """A call that times torch's own x @ W_enc on all cores."""
    weight, out = torch.randn(D, width), torch.empty(N, width)
    return lambda: [timed(lambda i=i: torch.mm(rows[i % BATCHES], weight, out=out)) for i in range(STEPS)]


def product_of_slices(width: int, rows: torch.Tensor) -> Callable[[], list[float]]:
    """The same by numpy, a slice of the tokens a thread: which of the two is faster differs between processors."""
    pool, weight, out = Pool(), torch.randn(width, D).numpy(), np.empty((N, width), np.float32)
    size = N // pool.threads
    parts = [slice(i, i + size) for i in range(0, N, size)]

    def once(i: int) -> None:
        x = rows[i % BATCHES].numpy()
        pool.run(lambda part: np.matmul(x[part], weight.T, out=out[part]), parts)

    def call() -> list[float]:
        with pool.blas_alone():
            return [timed(lambda i=i: once(i)) for i in range(STEPS)]

    return call


def timed(call: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


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
