"""Known features found again: four kinds on synthetic activations, ours and SAELens's, easy and hard.

Three worlds of either regime, other ones than those that the tests and the demo were written on; both
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
SEEDS = (11, 12, 13)
BATCH, STEPS, K, RATE = 512, 300, 4, 6e-3


def measure() -> Iterator[dict[str, Any]]:
    """Yield one row a regime and kind."""
    for regime, world, target in (("easy", EASY, 0.9), ("hard", HARD, None)):
        pairs = [found(world.model_copy(update={"seed": seed})) for seed in SEEDS]
        for kind in KINDS:
            ours, theirs = ([pair[side][kind] for pair in pairs] for side in (0, 1))
            yield row(
                f"Known features, {regime} regime, {kind}: matched F1",
                statistics.mean(r.f1 for r in ours),
                "F1",
                target,
                {
                    "name": "sae-lens 6.54.12",
                    "f1": _mean(theirs, "f1"),
                    "max_cosine": _mean(theirs, "max_cosine"),
                    "ours_max_cosine": _mean(ours, "max_cosine"),
                    "ours_lowest_f1": round(min(r.f1 for r in ours), 4),
                    "worlds": len(SEEDS),
                },
            )


def found(world: World) -> tuple[dict[str, Recovery], dict[str, Recovery]]:
    """What our dictionaries and SAELens's find of one world."""
    truth = FeatureWorld(world)
    drawn = truth.draw(4000, 10**9)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = [_ours(truth, folder), _theirs(truth, folder)]
    return tuple({k: recovery(d, truth.directions, drawn) for k, d in side.items()} for side in made)  # type: ignore[return-value]


def _settings(kind: str, world: World) -> Settings:
    return Settings(kind=kind, n_features=world.n_features, k=K, lr=RATE, dead_after=5000, seed=world.seed)


def _ours(truth: FeatureWorld, folder: Path) -> dict[str, Dictionary]:
    requests = tuple(Request(name=k, settings=_settings(k, truth.world), reads=("resid_post.0",)) for k in KINDS)
    plan = RunPlan(requests=requests, steps=STEPS)
    out = train(lambda _: PhantomStream(truth, BATCH, STEPS), plan, folder / "run")
    return {name: made for name, made in out.dictionaries.items() if isinstance(made, Dictionary)}


def _theirs(truth: FeatureWorld, folder: Path) -> dict[str, Dictionary]:
    rows = torch.stack([truth.draw(BATCH, i).x for i in range(STEPS)])
    # Ours scales activations to mean norm sqrt(d) before it trains, and so must what SAELens reads.
    scale = truth.world.d**0.5 / float(rows[0].norm(dim=1).mean())
    np.save(folder / "rows.npy", (rows * scale).numpy())
    jobs: list[dict[str, Any]] = [
        {
            "rows": str(folder / "rows.npy"), "kind": kind, "n_features": truth.world.n_features, "k": K, "steps": STEPS,
            "warm": 0, "lr": RATE, "lr_warm_up_steps": STEPS // 20, "lr_decay_steps": STEPS // 5, "seed": truth.world.seed,
            "widths": list(_settings("matryoshka", truth.world).prefixes), "save": str(folder / kind),
        }
        for kind in KINDS
    ]  # fmt: skip
    ask("saelens", "saelens_train.py", jobs=jobs, threads=1)
    return {kind: _scaled(read_dictionary(folder / kind), scale) for kind in KINDS}


def _scaled(made: Any, scale: float) -> Dictionary:
    """The same dictionary, reading activations that are not scaled yet."""
    return replace(made, normalisation="scale", scale_in=scale, scale_out=scale)


def _mean(found: Sequence[Recovery], name: str) -> float:
    return round(statistics.mean(getattr(each, name) for each in found), 4)
