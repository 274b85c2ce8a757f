"""Reconstruction at equal tokens on real activations: ours beside SAELens, and what the routed encoder costs.

SmolLM2-135M-Instruct, texts of the default corpus, harvested once (``dictionary_data``), so that every
trainer meets the same batches in the same order, with the same seed, rate, warm-up and decay. What is
trained is judged by the same code on tokens that nobody trained on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.dictionary import SKETCH, WIDE, row
from bench.dictionary_data import SITE, STEPS, N, arrays, shards
from bench.peers import ask
from brainscan.activations.stream import ActivationBatch
from brainscan.core.address import Site
from brainscan.core.evidence import Record
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.formats.format import read_dictionary
from brainscan.dictionary.pool import cores
from brainscan.dictionary.quality import explained_variance
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.train import Request, RunPlan, train

WIDTH, K, RATE, SEED = 2048, 32, 3e-4, 0
WIDE_STEPS = 64
"""Batches on which the exact and the routed encoder are trained at 65,536 features: 131,072 tokens."""


class Position(Record):
    """Where a file stream stands."""

    at: int = 0


class FileStream:
    """Batches of one file [batches, n, d], in order."""

    def __init__(self, path: Path, at: int = 0) -> None:
        self.rows = np.load(path, mmap_mode="r")
        self.identity, self.batch, self.at = str(self.rows.shape), self.rows.shape[1], at
        self.widths: Mapping[Site, int] = {SITE: self.rows.shape[2]}

    def __iter__(self) -> Iterator[ActivationBatch]:
        while self.at < len(self.rows):
            x = torch.from_numpy(np.array(self.rows[self.at]))
            self.at += 1
            yield ActivationBatch({SITE: x}, torch.zeros(len(x), dtype=torch.int32))

    def state(self) -> Position:
        """Where it stands."""
        return Position(at=self.at)


def measure() -> Iterator[dict[str, Any]]:
    """Yield explained variance beside SAELens's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, held = arrays(shards(), folder)
        kept = torch.from_numpy(np.load(held))
        job = {
            "rows": str(rows), "kind": "topk", "n_features": WIDTH, "k": K, "steps": STEPS, "warm": 0, "seed": SEED,
            "lr": RATE, "lr_warm_up_steps": STEPS // 20, "lr_decay_steps": STEPS // 5, "save": str(folder / "theirs"),
        }  # fmt: skip
        told = ask("saelens", "saelens_train.py", jobs=[job], threads=cores())
        theirs = judged(read_dictionary(folder / "theirs"), kept)
        settings = Settings(kind="topk", n_features=WIDTH, k=K, lr=RATE, seed=SEED)
        ours = judged(trained(rows, folder / "ours", {"ours": settings}, STEPS)["ours"], kept)
    yield row(
        f"TopK, {WIDTH:,} features, {STEPS * N:,} tokens of {SITE}: explained variance",
        ours,
        "share",
        round(theirs - 0.005, 4),
        {"name": f"sae-lens {told['version']}", "explained_variance": round(theirs, 4)},
    )


def routed() -> Iterator[dict[str, Any]]:
    """Yield what routing loses at 65,536 features."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, held = arrays(shards(), folder)
        kept = torch.from_numpy(np.load(held))
        wide = Settings(kind="topk", n_features=WIDE, k=K, seed=SEED)
        both = {"exact": wide, "routed": wide.model_copy(update={"sketch": SKETCH})}
        found = {n: judged(made, kept) for n, made in trained(rows, folder / "wide", both, WIDE_STEPS).items()}
    yield row(
        f"TopK, {WIDE:,} features, routed, {WIDE_STEPS * N:,} tokens of {SITE}: explained variance lost",
        found["exact"] - found["routed"],
        "share",
        0.02,
        {"name": "exact encoder", "explained_variance": round(found["exact"], 4), "routed": round(found["routed"], 4)},
        better="lower",
    )


def trained(rows: Path, folder: Path, wanted: Mapping[str, Settings], steps: int) -> dict[str, Dictionary]:
    """Dictionaries trained side by side on the first ``steps`` batches."""
    requests = tuple(Request(name=name, settings=settings, reads=(str(SITE),)) for name, settings in wanted.items())
    plan = RunPlan(requests=requests, steps=steps, checkpoint_every=10**6)
    out = train(lambda state: FileStream(rows, 0 if state is None else state["at"]), plan, folder)
    return {name: made for name, made in out.dictionaries.items() if isinstance(made, Dictionary)}


def judged(made: Any, held: torch.Tensor) -> float:
    """Explained variance on held-out rows [m, d]."""
    written = torch.cat([made.decode(made.encode_sparse(part), part) for part in held.split(512)])
    return explained_variance(held, written)
