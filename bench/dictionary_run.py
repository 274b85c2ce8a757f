"""A dictionary run on the real model: harvest beside the bare forward pass, memory, and a kill at a random step."""

from __future__ import annotations

import itertools
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.dictionary import row
from brainscan.activations.shards import ShardState, ShardStream, write_shards
from brainscan.activations.stream import ActivationStream, StreamConfig
from brainscan.clinic.corpus import texts_of
from brainscan.core.address import Site
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.train import Request, RunPlan, train
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject
from brainscan.subject.phantom import phantom

SITES = ("resid_post.3", "resid_post.5", "mlp_out.6", "resid_post.7")
CONTEXT, ROWS, ROUNDS = 128, 16, 4
SHORT, LONG = 40, 400
"""Batches of the two corpora on disk whose memory is compared."""
STEPS, EVERY = 120, 9
"""Of the run that is killed, and between its checkpoints."""


def harvest() -> Iterator[dict[str, Any]]:
    """Yield tokens/s of a harvest of four sites over those of the bare forward pass of the same rows.

    Seconds are of processor time of one thread, which a busy machine hardly changes.
    """
    torch.set_num_threads(1)
    subject = load_subject("smollm2-135m-instruct")
    config = StreamConfig(sites=SITES, batch=ROWS * (CONTEXT - 1), window=ROWS, context=CONTEXT, drop_special=False)
    stream = ActivationStream(subject, texts_of(None), config)
    windows = stream.packer.windows(stream.state().cursor)
    batches = iter(stream)
    seconds: tuple[list[float], list[float]] = ([], [])
    for round_ in range(ROUNDS + 1):
        rows = next(windows).rows
        start = time.process_time()
        next(batches)
        middle = time.process_time()
        bare(subject, rows)
        if round_:
            seconds[0].append(middle - start)
            seconds[1].append(time.process_time() - middle)
    ours, plain = (statistics.median(of) for of in seconds)
    speeds = {"ours": round(ROWS * CONTEXT / ours, 1), "tokens_per_second": round(ROWS * CONTEXT / plain, 1)}
    yield row(
        f"harvest of {len(SITES)} sites at once, shuffled: share of the bare forward pass's speed",
        plain / ours,
        "x",
        0.95,
        {"name": "bare forward pass up to the last site", **speeds},
    )


class _Stop(Exception):
    pass


def bare(subject: LanguageSubject, rows: np.ndarray) -> None:
    """The forward pass to the last site, by hand: nothing is kept, shuffled or packed."""

    def stop(*_: object) -> None:
        raise _Stop

    layer = max(Site.parse(site).layer or 0 for site in SITES)
    handle = subject.model.model.layers[layer].register_forward_hook(stop)
    batch = subject.batch(rows.tolist())
    try:
        with torch.no_grad():
            subject.model.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
    except _Stop:
        pass
    finally:
        handle.remove()


def memory() -> Iterator[dict[str, Any]]:
    """Yield by how much the peak memory of training from disk grows when the corpus is ten times as long."""
    with tempfile.TemporaryDirectory() as name:
        peaks = {}
        for batches in (SHORT, LONG):
            folder = Path(name) / str(batches)
            corpus(folder, batches)
            done = subprocess.run(
                [sys.executable, "-m", "bench.dictionary_run", "memory", folder],
                check=True,
                capture_output=True,
                text=True,
            )
            peaks[batches] = int(done.stdout.split()[-1])
    grown = (peaks[LONG] - peaks[SHORT]) / 1024
    sizes = {f"peak_mb_at_{n * 512:,}_tokens": round(peak / 1024, 1) for n, peak in peaks.items()}
    yield row(
        "training from disk: peak memory grown when the corpus is 10 times as long",
        grown,
        "MB",
        32,
        {"name": "both runs", **sizes},
        better="lower",
    )


class Numbers:
    """An endless source of texts."""

    name = "numbers"

    def identity(self) -> str:
        """The same texts every time."""
        return "numbers"

    def texts(self, skip: int = 0) -> Iterator[str]:
        """From document ``skip`` on."""
        for i in itertools.count(skip):
            yield " ".join(str(i * 7919 + j * j) for j in range(200))


def corpus(folder: Path, batches: int) -> None:
    """Shards of a phantom's activations: 512 tokens of 256 dimensions a batch, about 0.5 MB each."""

    subject = phantom(hidden_size=256)
    config = StreamConfig(sites=("resid_post.0",), batch=512, context=64, memory=128 << 20, window=256)
    write_shards(
        lambda state: ActivationStream(subject, Numbers(), config, state=state),
        folder,
        tokens=batches * 512,
        shard_bytes=8 << 20,
    )


def killed() -> Iterator[dict[str, Any]]:
    """Yield how many numbers differ between a run killed at a random step and resumed, and one left alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus(folder / "shards", SHORT)
        whole = run(folder / "shards", folder / "whole")
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.dictionary_run", "run", folder / "shards", folder / "killed"]
        )
        wanted = random.Random(0).randrange(EVERY, STEPS)
        while child.poll() is None and reached(folder / "killed") < wanted:
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        code = child.wait()
        if code != -signal.SIGKILL:
            raise RuntimeError(f"The run ended with {code} before it was killed: make it longer.")
        again = run(folder / "shards", folder / "killed")
    pairs = [(a, again[name].tensors()[part]) for name, d in whole.items() for part, a in d.tensors().items()]
    yield row(
        "SIGKILL at a random step, then resumed: numbers that differ from the uninterrupted run's",
        sum(int((a != b).sum()) for a, b in pairs),
        "numbers",
        0,
        {
            "name": "compared",
            "numbers": sum(a.numel() for a, _ in pairs),
            "killed_at": wanted,
            "dictionaries": list(whole),
        },
        better="lower",
    )


def run(shards: Path, folder: Path) -> dict[str, Dictionary]:
    """Three dictionaries, one of them routed, trained from the disk over several passes."""
    kinds = {
        "topk": Settings(kind="topk", n_features=1024, k=16),
        "jumprelu": Settings(kind="jumprelu", n_features=512, k=16),
        "routed": Settings(kind="batchtopk", n_features=8192, k=16, sketch=32),
    }
    requests = tuple(Request(name=name, settings=of, reads=("resid_post.0",)) for name, of in kinds.items())
    plan = RunPlan(requests=requests, steps=STEPS, journal_every=1, checkpoint_every=EVERY)

    def stream(state: dict[str, Any] | None) -> ShardStream:
        return ShardStream(shards, passes=None, state=None if state is None else ShardState.model_validate(state))

    out = train(stream, plan, folder)
    return {name: made for name, made in out.dictionaries.items() if isinstance(made, Dictionary)}


def reached(folder: Path) -> int:
    """The step of a run, from its journal."""
    path = folder / "journal.jsonl"
    return len(path.read_bytes().splitlines()) if path.is_file() else 0


def train_once(shards: Path) -> None:
    """One pass over a corpus on disk; prints the peak memory in kilobytes."""
    stream = ShardStream(shards)
    request = Request(name="topk", settings=Settings(kind="topk", n_features=1024, k=16), reads=("resid_post.0",))
    with tempfile.TemporaryDirectory() as folder:
        plan = RunPlan(requests=(request,), steps=stream.manifest.rows // stream.batch, checkpoint_every=20)
        train(lambda _: ShardStream(shards), plan, Path(folder))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def measure() -> Iterator[dict[str, Any]]:
    """All three."""
    yield from harvest()
    yield from memory()
    yield from killed()


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    train_once(Path(paths[0])) if what == "memory" else run(*map(Path, paths))
