"""Reconstruction at equal tokens on real activations: ours beside SAELens, and what the routed encoder costs.

SmolLM2-135M-Instruct, the middle layer, texts of the default corpus. A million tokens are read once and
kept as one file (2.4 GB in the system's temporary folder), so that every trainer meets the same batches.
About an hour on two cores, most of it SAELens's and the exact encoder's at 65,536 features.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap

from bench.dictionary import SKETCH, WIDE, row
from bench.peers import ask
from brainscan.activations.stream import ActivationBatch, ActivationStream, StreamConfig
from brainscan.clinic.corpus import texts_of
from brainscan.core.address import Site
from brainscan.core.evidence import Record
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.quality import explained_variance
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.train import Request, RunPlan, train
from brainscan.subject.load import load_subject

SITE = Site("resid_post", 15)
N, STEPS, HELD, K = 2048, 512, 8, 32


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
    """Yield rows: explained variance beside SAELens's at 8,192 features, and what routing loses at 65,536."""
    with tempfile.TemporaryDirectory() as folder:
        rows, held = harvest(Path(folder))
        kept = torch.from_numpy(np.load(held))
        peer = ask(
            "saelens", "saelens_speed.py", rows=str(rows), n_features=8192, k=K, steps=STEPS, warm=0,
            held=str(held), lr_warm_up_steps=STEPS // 20, lr_decay_steps=STEPS // 5,
        )["explained_variance"]  # fmt: skip
        ours = trained(rows, Path(folder) / "narrow", kept, {"8192": Settings(kind="topk", n_features=8192, k=K)})
        yield row(
            "TopK, 8,192 features, 1M tokens: explained variance",
            ours["8192"],
            "share",
            round(peer - 0.005, 4),
            {"name": "sae-lens", "value": peer},
        )
        wide = Settings(kind="topk", n_features=WIDE, k=K)
        both = {"exact": wide, "routed": wide.model_copy(update={"sketch": SKETCH})}
        found = trained(rows, Path(folder) / "wide", kept, both)
        lost = found["exact"] - found["routed"]
        yield row(
            "TopK, 65,536 features, routed: explained variance lost",
            lost,
            "share",
            0.02,
            {"name": "exact encoder", "value": found["exact"]},
            better="lower",
        )


def harvest(folder: Path) -> tuple[Path, Path]:
    """Write training batches [STEPS, N, d] and held-out rows [HELD * N, d], scaled to mean norm sqrt(d)."""
    subject = load_subject("smollm2-135m-instruct")
    config = StreamConfig(sites=(str(SITE),), batch=N)
    stream = iter(ActivationStream(subject, texts_of(None), config))
    first = next(stream).values[SITE]
    scale = first.shape[1] ** 0.5 / float(first.norm(dim=1).mean())
    held = np.concatenate([(next(stream).values[SITE] * scale).numpy() for _ in range(HELD)])
    np.save(folder / "held.npy", held)
    rows = open_memmap(folder / "rows.npy", mode="w+", dtype=np.float32, shape=(STEPS, N, first.shape[1]))
    for i in range(STEPS):
        rows[i] = (next(stream).values[SITE] * scale).numpy()
    rows.flush()
    return folder / "rows.npy", folder / "held.npy"


def trained(rows: Path, folder: Path, held: torch.Tensor, wanted: Mapping[str, Settings]) -> dict[str, float]:
    """Explained variance on held-out rows of dictionaries trained side by side."""
    requests = tuple(Request(name=name, settings=settings, reads=(str(SITE),)) for name, settings in wanted.items())
    plan = RunPlan(requests=requests, steps=STEPS, checkpoint_every=10**6)
    out = train(lambda state: FileStream(rows, 0 if state is None else state["at"]), plan, folder)
    found = {}
    for name, made in out.dictionaries.items():
        assert isinstance(made, Dictionary)
        written = torch.cat([made.decode(made.encode_sparse(part), part) for part in held.split(512)])
        found[name] = explained_variance(held, written)
    return found
