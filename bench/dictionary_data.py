"""Real activations for the dictionary benches: read once, kept as shards in the cache, resumed when interrupted.

python -m bench.dictionary_data     harvest now (SmolLM2-135M-Instruct, layer 3, the default corpus)
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap

from brainscan.activations.shards import ShardStream, write_shards
from brainscan.activations.stream import ActivationStream, StreamConfig
from brainscan.clinic.corpus import texts_of
from brainscan.clinic.environment import read_environment
from brainscan.core.address import Site
from brainscan.subject.load import load_subject

SUBJECT = "smollm2-135m-instruct"
SITE = Site("resid_post", 3)
"""An early layer, since reading a million tokens costs in proportion to the depth."""
N, STEPS, HELD = 2048, 512, 8
"""Tokens a batch, batches to train on (1,048,576 tokens) and batches kept apart to judge on."""


def shards(batches: int = HELD + STEPS) -> Path:
    """The folder of the harvest, made if it is not there: at least so many batches of ``N`` tokens."""
    folder = read_environment().cache / "bench" / f"{SUBJECT}-{SITE}-{batches}"
    subject = load_subject(SUBJECT)
    config = StreamConfig(sites=(str(SITE),), batch=N, memory=1024 << 20)
    begun = time.monotonic()

    def say(_: float, words: str) -> None:
        print(f"{words} after {time.monotonic() - begun:.0f} s", flush=True)

    write_shards(
        lambda state: ActivationStream(subject, texts_of(None), config, state=state),
        folder,
        tokens=batches * N,
        progress=say,
    )
    return folder


def arrays(folder: Path, to: Path) -> tuple[Path, Path]:
    """Training batches [batches, N, d] and held-out rows [HELD * N, d] as files, scaled to mean norm sqrt(d).

    The held-out rows come first in the stream, so more batches never change them.
    """
    stream = ShardStream(folder)
    whole = stream.manifest.rows // N
    held: list[torch.Tensor] = []
    rows, scale = None, 1.0
    for i, batch in enumerate(stream):
        x = batch.values[SITE]
        if not i:
            scale = x.shape[1] ** 0.5 / float(x.norm(dim=1).mean())
        if i < HELD:
            held.append(x * scale)
            continue
        if rows is None:
            shape = (whole - HELD, N, x.shape[1])
            rows = open_memmap(to / "rows.npy", mode="w+", dtype=np.float32, shape=shape)
        if i < whole:
            rows[i - HELD] = (x * scale).numpy()
    np.save(to / "held.npy", torch.cat(held).numpy())
    return to / "rows.npy", to / "held.npy"


if __name__ == "__main__":
    shards()
