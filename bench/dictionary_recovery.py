"""Known features found again: four kinds on synthetic activations, ours and SAELens's, easy and hard.

Two worlds of either regime, other ones than those that the tests and the demo were written on; both
programs read the same batches, at the same learning rate, and are scored by the same code.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.dictionary import row
from bench.peers import ask
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.formats.format import read_dictionary
from brainscan.dictionary.recovery import Recovery, recovery
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.synthetic import FeatureWorld, PhantomStream, World
from brainscan.dictionary.train import Request, RunPlan, train

KINDS = ("topk", "batchtopk", "jumprelu", "matryoshka")
EASY = World(n_features=48, d=64, rate=0.06, offset=1.0)
HARD = World(n_features=128, d=32, rate=0.04, groups=16, correlation=0.3, children=0.25, noise=0.02)
SEEDS = (11, 12)
BATCH, STEPS, K, RATE = 512, 300, 4, 6e-3


def measure() -> Iterator[dict[str, Any]]:
    """Yield one row a regime and kind."""
    yield from easy()
    yield from hard()


def easy() -> Iterator[dict[str, Any]]:
    """Fewer features than dimensions, independent."""
    return rows_of("easy", EASY, 0.9)


def hard() -> Iterator[dict[str, Any]]:
    """Four features a dimension, correlated, a quarter of them with parents."""
    return rows_of("hard", HARD, None)


def rows_of(regime: str, world: World, target: float | None) -> Iterator[dict[str, Any]]:
    """Train both programs on every world of a regime and score them."""
    truths = [FeatureWorld(world.model_copy(update={"seed": seed})) for seed in SEEDS]
    with tempfile.TemporaryDirectory() as name:
        theirs = _theirs(truths, Path(name))
        ours = [_ours(truth, Path(name)) for truth in truths]
    drawn = [truth.draw(4000, 10**9) for truth in truths]

    def scored(made: Sequence[dict[str, Dictionary]], kind: str) -> list[Recovery]:
        return [recovery(m[kind], t.directions, d) for m, t, d in zip(made, truths, drawn, strict=True)]

    for kind in KINDS:
        mine, other = scored(ours, kind), scored(theirs, kind)
        yield row(
            f"Known features, {regime} regime, {kind}: matched F1",
            statistics.mean(r.f1 for r in mine),
            "F1",
            target,
            {
                "name": "sae-lens 6.54.12",
                "f1": _mean(other, "f1"),
                "max_cosine": _mean(other, "max_cosine"),
                "ours_max_cosine": _mean(mine, "max_cosine"),
                "ours_lowest_f1": round(min(r.f1 for r in mine), 4),
                "worlds": len(SEEDS),
            },
        )


def _settings(kind: str, world: World) -> Settings:
    return Settings(kind=kind, n_features=world.n_features, k=K, lr=RATE, dead_after=5000, seed=world.seed)


def _ours(truth: FeatureWorld, folder: Path) -> dict[str, Dictionary]:
    requests = tuple(Request(name=k, settings=_settings(k, truth.world), reads=("resid_post.0",)) for k in KINDS)
    plan = RunPlan(requests=requests, steps=STEPS)
    out = train(lambda _: PhantomStream(truth, BATCH, STEPS), plan, folder / f"run-{truth.world.seed}")
    return {name: made for name, made in out.dictionaries.items() if isinstance(made, Dictionary)}


def _theirs(truths: Sequence[FeatureWorld], folder: Path) -> list[dict[str, Dictionary]]:
    jobs: list[dict[str, Any]] = []
    scales = []
    for truth in truths:
        world, path = truth.world, folder / f"rows-{truth.world.seed}.npy"
        rows = torch.stack([truth.draw(BATCH, i).x for i in range(STEPS)])
        # Ours scales activations to mean norm sqrt(d) before it trains, and so must what SAELens reads.
        scales.append(world.d**0.5 / float(rows[0].norm(dim=1).mean()))
        np.save(path, (rows * scales[-1]).numpy())
        jobs += [
            {
                "rows": str(path), "kind": kind, "n_features": world.n_features, "k": K, "steps": STEPS, "warm": 0,
                "lr": RATE, "lr_warm_up_steps": STEPS // 20, "lr_decay_steps": STEPS // 5, "seed": world.seed,
                "widths": list(_settings("matryoshka", world).prefixes), "save": str(folder / f"{kind}-{world.seed}"),
            }
            for kind in KINDS
        ]  # fmt: skip
    ask("saelens", "saelens_train.py", jobs=jobs, threads=1)
    return [
        {kind: _scaled(read_dictionary(folder / f"{kind}-{truth.world.seed}"), scale) for kind in KINDS}
        for truth, scale in zip(truths, scales, strict=True)
    ]


def _scaled(made: Any, scale: float) -> Dictionary:
    """The same dictionary, reading activations that are not scaled yet."""
    return replace(made, normalisation="scale", scale_in=scale, scale_out=scale)


def _mean(found: Sequence[Recovery], name: str) -> float:
    return round(statistics.mean(getattr(each, name) for each in found), 4)
