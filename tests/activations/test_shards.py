"""Shards: the same stream again, whole or not at all, after a SIGKILL too, and in flat memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from brainscan.activations.shards import MANIFEST, STATE, Manifest, Shard, ShardState, ShardStream, write_shards
from brainscan.activations.stream import ActivationBatch, ActivationStream, StreamState
from brainscan.core.errors import InputError, RecordError
from brainscan.subject.phantom import phantom
from tests.activations.test_stream import CONFIG, SOURCE, SUBJECT, equal


def make(state: StreamState | None) -> ActivationStream:
    return ActivationStream(SUBJECT, SOURCE, CONFIG, state=state)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_is_read_back_is_the_stream(tmp_path: Path) -> None:
    manifest = write_shards(make, tmp_path / "a", dtype="float32", shard_bytes=30_000)
    assert len(manifest.shards) > 2
    live, back = list(make(None)), list(ShardStream(tmp_path / "a"))
    assert len(live) == len(back) and all(equal(a, b) for a, b in zip(live, back, strict=True))
    assert ShardStream(tmp_path / "a").check() == ()


def test_half_precision_is_the_stream_rounded(tmp_path: Path) -> None:
    write_shards(make, tmp_path / "a")
    for a, b in zip(make(None), ShardStream(tmp_path / "a"), strict=True):
        for site, x in a.values.items():
            assert torch.equal(x.half().float(), b.values[site])


def test_a_value_too_large_for_half_precision_is_an_error_and_not_infinity(tmp_path: Path) -> None:
    stream = make(None)

    class Huge:
        batch, widths, identity, subject, source = 32, stream.widths, stream.identity, SUBJECT, SOURCE
        state = stream.state

        def __iter__(self):
            values = {site: torch.full((4, d), 1e6) for site, d in stream.widths.items()}
            yield ActivationBatch(values, torch.zeros(4, dtype=torch.int32))

    with pytest.raises(InputError, match="--dtype float32"):
        write_shards(lambda state: Huge(), tmp_path / "a")  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("batch", [7, 32, 50, 10_000])
def test_other_batches_and_resuming_between_any_two(tmp_path: Path, batch: int) -> None:
    write_shards(make, tmp_path / "a", dtype="float32", shard_bytes=30_000)
    whole = list(ShardStream(tmp_path / "a", batch=batch, passes=2, seed=5))
    for stop in (0, 1, len(whole) // 2 - 1, len(whole) // 2, len(whole) // 2 + 1, len(whole)):
        reader = ShardStream(tmp_path / "a", batch=batch, passes=2, seed=5)
        for _, _batch in zip(range(stop), reader, strict=False):
            pass
        state = ShardState.model_validate_json(reader.state().model_dump_json())
        rest = list(ShardStream(tmp_path / "a", batch=batch, passes=2, seed=5, state=state))
        assert len(rest) == len(whole) - stop
        assert all(equal(a, b) for a, b in zip(rest, whole[stop:], strict=True))


def test_later_passes_hold_the_same_rows_in_another_order(tmp_path: Path) -> None:
    write_shards(make, tmp_path / "a", dtype="float32", shard_bytes=30_000)
    site = next(iter(ShardStream(tmp_path / "a").widths))
    twice = torch.cat([b.values[site] for b in ShardStream(tmp_path / "a", passes=2)])
    first, second = twice.chunk(2)
    assert not torch.equal(first, second)
    assert torch.equal(first[first.sum(1).argsort()], second[second.sum(1).argsort()])


_WRITER = """
import os, signal, sys
from pathlib import Path
from brainscan.activations import shards
from tests.activations.test_shards import make
count, real = 0, shards._write
def killed(*arguments):
    global count
    count += 1
    if count == int(sys.argv[2]):
        np_save = shards.np.save
        def half(path, x, **options):
            np_save(path, x, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        shards.np.save = half
    return real(*arguments)
shards._write = killed
shards.write_shards(make, Path(sys.argv[1]), dtype="float32", shard_bytes=30_000)
"""


def test_a_harvest_that_is_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    write_shards(make, tmp_path / "whole", dtype="float32", shard_bytes=30_000)
    for nth in ("2", "1"):  # killed in the middle of its 2nd shard, resumed, killed in the next one
        done = subprocess.run([sys.executable, "-c", _WRITER, str(tmp_path / "cut"), nth], cwd=Path.cwd(), check=False)
        assert done.returncode == -signal.SIGKILL
        assert not (tmp_path / "cut" / MANIFEST).exists()
        with pytest.raises(RecordError, match="no finished harvest"):
            ShardStream(tmp_path / "cut")
    assert (tmp_path / "cut" / STATE).exists()
    write_shards(make, tmp_path / "cut", dtype="float32", shard_bytes=30_000)
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


def test_a_finished_folder_is_not_written_again(tmp_path: Path) -> None:
    once = write_shards(make, tmp_path / "a", tokens=100)
    before = files(tmp_path / "a")
    assert write_shards(make, tmp_path / "a", tokens=100) == once and files(tmp_path / "a") == before
    assert 100 <= once.rows < 100 + CONFIG.batch


def test_a_harvest_of_another_stream_is_not_used(tmp_path: Path) -> None:
    write_shards(make, tmp_path / "a", tokens=100)
    other = phantom("llama", seed=1)
    for subject, config in ((other, CONFIG), (SUBJECT, CONFIG.model_copy(update={"seed": 9}))):
        with pytest.raises(RecordError, match="other settings, texts or weights"):
            write_shards(
                lambda state, of=subject, c=config: ActivationStream(of, SOURCE, c), tmp_path / "a", tokens=100
            )
    with pytest.raises(RecordError, match="harvested as float16"):
        write_shards(make, tmp_path / "a", tokens=100, dtype="float32")


def test_a_harvest_that_is_too_short_is_not_read_in_a_circle(tmp_path: Path) -> None:
    few = write_shards(make, tmp_path / "a", tokens=100)
    assert write_shards(make, tmp_path / "a", tokens=50) == few
    for tokens in (10_000, None):
        with pytest.raises(RecordError, match="less than is asked for"):
            write_shards(make, tmp_path / "a", tokens=tokens)
    everything = write_shards(make, tmp_path / "b", tokens=10**9)
    assert everything.ended and everything.rows < 10**9
    assert write_shards(make, tmp_path / "b", tokens=10**9) == write_shards(make, tmp_path / "b") == everything


def test_a_shard_that_was_changed_is_found(tmp_path: Path) -> None:
    manifest = write_shards(make, tmp_path / "a")
    name = next(iter(manifest.shards[0].sha256))
    data = bytearray((tmp_path / "a" / name).read_bytes())
    data[-1] ^= 1
    (tmp_path / "a" / name).write_bytes(bytes(data))
    assert ShardStream(tmp_path / "a").check() == (name,)
    (tmp_path / "a" / name).write_bytes(bytes(data[:-9]))
    with pytest.raises(RecordError, match=r"cut short|its shape"):
        ShardStream(tmp_path / "a")


def test_a_broken_manifest_is_said(tmp_path: Path) -> None:
    write_shards(make, tmp_path / "a")
    (tmp_path / "a" / MANIFEST).write_text("{")
    with pytest.raises(RecordError, match="broken"):
        ShardStream(tmp_path / "a")


_READER = """
import resource, sys
from pathlib import Path
from brainscan.activations.shards import ShardStream
rows = sum(len(batch.tokens) for batch in ShardStream(Path(sys.argv[1]), batch=4096))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_is_flat_in_the_length_of_the_harvest(tmp_path: Path) -> None:
    peaks = []
    for shards in (2, 24):
        folder = tmp_path / str(shards)
        written = [synthetic(folder, i, rows=16_384, d=256) for i in range(shards)]
        manifest = Manifest(
            identity="x", subject="s", source="t", dtype="float32", batch=4096, widths={"resid_post.1": 256},
            shards=tuple(written),
        )  # fmt: skip
        (folder / MANIFEST).write_text(manifest.model_dump_json())
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", _READER, str(folder)], capture_output=True, text=True, check=True, env=environment
        )
        rows, peak = map(int, done.stdout.split())
        assert rows == shards * 16_384
        peaks.append(peak)
    assert resource.getpagesize() > 0
    assert peaks[1] - peaks[0] < 64, f"24 shards of 16 MB took {peaks[1] - peaks[0]} MB more than 2"


def synthetic(folder: Path, index: int, *, rows: int, d: int) -> Shard:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(index)
    np.save(folder / f"shard-{index:05d}.resid_post.1.npy", rng.random((rows, d), dtype=np.float32))
    np.save(folder / f"shard-{index:05d}.tokens.npy", np.zeros(rows, np.int32))
    return Shard(rows=rows, sha256={})
