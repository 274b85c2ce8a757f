"""Activations on disk: memory-mapped shards that read back as the stream that wrote them.

A folder holds ``shard-00000.tokens.npy`` and ``shard-00000.<site>.npy`` [row, d] for each shard, rows in
the stream's own (shuffled) order, ``state.json`` while it is being written, and ``manifest.json``, written
last: its presence means complete. Writing again after a kill goes on behind the last whole shard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from brainscan.activations.stream import ActivationBatch, ActivationStream, StreamState
from brainscan.core.address import Site
from brainscan.core.errors import InputError, RecordError
from brainscan.core.evidence import Record
from brainscan.core.files import refusals, write_atomic
from brainscan.core.provenance import sha256_of_file

MANIFEST, STATE = "manifest.json", "state.json"
SCHEMA = "brainscan.activations/1"
Number = Literal["float16", "float32"]


class Shard(Record):
    """One shard: its number of rows and the hashes of its files."""

    rows: int
    sha256: dict[str, str]
    """File name -> hash."""


class Manifest(Record):
    """What a folder of shards holds."""

    schema_: Literal["brainscan.activations/1"] = SCHEMA
    identity: str
    """Of the stream that was written."""
    subject: str
    source: str
    dtype: Number
    batch: int
    widths: dict[str, int]
    """Site -> d."""
    shards: tuple[Shard, ...]
    ended: bool = False
    """Whether the stream had no more to give."""

    @property
    def rows(self) -> int:
        """Rows (tokens) in all."""
        return sum(shard.rows for shard in self.shards)


class ShardState(Record):
    """Where a reader stands."""

    identity: str
    passed: int = 0
    batch: int = 0


class _Written(Record):
    """What a kill must not lose while shards are written."""

    stream: StreamState
    dtype: Number
    shards: tuple[Shard, ...] = ()


def write_shards(
    make: Callable[[StreamState | None], ActivationStream],
    folder: Path,
    *,
    tokens: int | None = None,
    dtype: Number = "float16",
    shard_bytes: int = 64 << 20,
    progress: Callable[[float, str], None] | None = None,
) -> Manifest:
    """Write a stream to disk, or go on where a killed run stopped; a finished harvest of the same stream is used again.

    Args:
        make: builds the stream, from a state when there is one to resume.
        tokens: stop after about so many rows; None for the whole stream.
        dtype: float16 halves the disk and rounds to 3 digits; values above 65,504 do not fit it.
        shard_bytes: about how large the largest file of a shard is; also the memory that writing takes.

    Raises:
        InputError: a value does not fit float16.
        RecordError: the folder is of another stream, or holds less of it than is asked for.
        StorageError: the disk refused.
    """
    if (folder / MANIFEST).is_file():
        return _reused(folder, make(None), tokens, dtype)
    written = _unfinished(folder)
    stream = make(written.stream if written else None)
    if written and written.dtype != dtype:
        raise RecordError(f"{folder} is being written as {written.dtype}.", "Resume with that, or choose a new folder.")
    shards = list(written.shards) if written else []
    batches_a_shard = max(1, shard_bytes // (stream.batch * max(stream.widths.values()) * np.dtype(dtype).itemsize))
    done = sum(shard.rows for shard in shards)
    held: list[ActivationBatch] = []

    def flush() -> None:
        shards.append(_write(folder, len(shards), held, np.dtype(dtype)))
        state = _Written(stream=stream.state(), dtype=dtype, shards=tuple(shards))
        write_atomic(folder / STATE, state.model_dump_json())
        held.clear()

    for batch in stream if tokens is None or done < tokens else ():
        held.append(batch)
        done += len(batch.tokens)
        if progress:
            progress(min(1.0, done / tokens) if tokens else 0.0, f"{done:,} tokens harvested")
        enough = tokens is not None and done >= tokens
        if enough or len(held) == batches_a_shard:
            flush()
        if enough:
            break
    if held:
        flush()
    manifest = _manifest(stream, dtype, shards, ended=tokens is None or done < tokens)
    write_atomic(folder / MANIFEST, manifest.model_dump_json(indent=1))
    (folder / STATE).unlink(missing_ok=True)
    return manifest


def _reused(folder: Path, stream: ActivationStream, tokens: int | None, dtype: Number) -> Manifest:
    """The manifest of a finished folder, if this stream would be written there and enough of it was."""
    found = read_manifest(folder)
    if found.identity != stream.identity:
        raise RecordError(
            f"{folder} holds a harvest of {found.source} by {found.subject} with other settings, texts or weights.",
            "Harvest into a new folder, or give what that harvest was made with.",
        )
    if found.dtype != dtype:
        raise RecordError(f"{folder} was harvested as {found.dtype}.", f"Ask for {found.dtype}, or for a new folder.")
    if not found.ended and (tokens is None or found.rows < tokens):
        raise RecordError(
            f"{folder} holds {found.rows:,} tokens, which is less than is asked for.", "Harvest into a new folder."
        )
    return found


def _manifest(stream: ActivationStream, dtype: Number, shards: list[Shard], *, ended: bool) -> Manifest:
    return Manifest(
        identity=stream.identity,
        subject=stream.subject.card.name,
        source=stream.source.name,
        dtype=dtype,
        batch=stream.batch,
        widths={str(site): d for site, d in stream.widths.items()},
        shards=tuple(shards),
        ended=ended,
    )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a finished folder.

    Raises:
        RecordError: unfinished, broken or foreign.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise RecordError(f"{folder} holds no finished harvest.", "Run the same harvest again to finish it.")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RecordError(f"{path} is broken or from another program.", "Harvest again into a new folder.") from error


class ShardStream:
    """Reads shards back: the first pass gives the written stream, later passes shuffle shards and their rows.

    Only the shards under the batch are mapped, so memory does not grow with the corpus.

    Args:
        folder: as ``write_shards`` made it.
        batch: rows a batch; None for as many as were written.
        passes: times that everything is read; None for as often as asked.
        seed: of the order of later passes.
        state: where to go on.

    Raises:
        RecordError: the folder is unfinished or broken, or the state is of another one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        batch: int | None = None,
        passes: int | None = 1,
        seed: int = 0,
        state: ShardState | None = None,
    ) -> None:
        self.folder, self.manifest = Path(folder), read_manifest(folder)
        self.batch = batch or self.manifest.batch
        self.passes, self.seed = passes, seed
        self.widths: Mapping[Site, int] = {Site.parse(name): d for name, d in self.manifest.widths.items()}
        self.identity = self.manifest.identity
        if state is not None and state.identity != self.identity:
            raise RecordError("This state is of another harvest.", "Use the same folder to resume, or start anew.")
        self._state = state or ShardState(identity=self.identity)
        self._check_sizes()

    def state(self) -> ShardState:
        """Where the reader stands, after the batch that was handed out last."""
        return self._state

    def check(self) -> tuple[str, ...]:
        """Names of files whose hash is not the manifest's; empty when all is well."""
        hashes = {name: sha for shard in self.manifest.shards for name, sha in shard.sha256.items()}
        return tuple(name for name, sha in hashes.items() if sha256_of_file(self.folder / name) != sha)

    def __iter__(self) -> Iterator[ActivationBatch]:
        """Batches from the present state on, float32; the last of a pass may be short."""
        while self.passes is None or self._state.passed < self.passes:
            yield from self._one_pass(self._state.passed)
            self._state = ShardState(identity=self.identity, passed=self._state.passed + 1)

    def _one_pass(self, passed: int) -> Iterator[ActivationBatch]:
        shards = self.manifest.shards
        order = list(range(len(shards)))
        if passed:
            order = np.random.default_rng([self.seed, passed]).permutation(len(shards)).tolist()
        starts = np.cumsum([0, *(shards[i].rows for i in order)])
        opened: dict[int, _Open] = {}
        for number in range(self._state.batch, -(-int(starts[-1]) // self.batch)):
            lo, hi = number * self.batch, min((number + 1) * self.batch, int(starts[-1]))
            under = [k for k in range(len(order)) if starts[k] < hi and starts[k + 1] > lo]
            opened = {k: opened.get(k) or self._open(order[k], passed) for k in under}
            parts = [opened[k].rows(max(lo - int(starts[k]), 0), hi - int(starts[k])) for k in under]
            self._state = ShardState(identity=self.identity, passed=passed, batch=number + 1)
            yield _joined(parts)

    def _open(self, index: int, passed: int) -> _Open:
        rows = self.manifest.shards[index].rows
        shuffled = np.random.default_rng([self.seed, passed, index]).permutation(rows) if passed else None
        tokens = _map(self.folder / _name(index, "tokens"))
        return _Open({site: _map(self.folder / _name(index, str(site))) for site in self.widths}, tokens, shuffled)

    def _check_sizes(self) -> None:
        for index, shard in enumerate(self.manifest.shards):
            shapes = {_name(index, str(site)): (shard.rows, d) for site, d in self.widths.items()}
            for name, shape in {**shapes, _name(index, "tokens"): (shard.rows,)}.items():
                if _map(self.folder / name).shape != shape:
                    raise RecordError(f"{self.folder / name} does not have its shape {shape}.", "Harvest again.")


class _Open:
    """One mapped shard."""

    def __init__(self, values: dict[Site, Any], tokens: Any, shuffled: NDArray[np.int64] | None) -> None:
        self.values, self.tokens, self.shuffled = values, tokens, shuffled

    def rows(self, lo: int, hi: int) -> ActivationBatch:
        where = slice(lo, hi) if self.shuffled is None else self.shuffled[lo:hi]
        values = {site: torch.from_numpy(np.array(x[where], dtype=np.float32)) for site, x in self.values.items()}
        return ActivationBatch(values, torch.from_numpy(np.array(self.tokens[where])))


def _joined(parts: list[ActivationBatch]) -> ActivationBatch:
    if len(parts) == 1:
        return parts[0]
    values = {site: torch.cat([part.values[site] for part in parts]) for site in parts[0].values}
    return ActivationBatch(values, torch.cat([part.tokens for part in parts]))


def _write(folder: Path, index: int, held: list[ActivationBatch], dtype: np.dtype[Any]) -> Shard:
    sha256: dict[str, str] = {}
    with refusals(folder):
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"tokens": np.concatenate([batch.tokens.numpy() for batch in held])}
        for site in held[0].values:
            with np.errstate(over="ignore"):  # what does not fit is an error of our own, below
                x = np.concatenate([batch.values[site].numpy().astype(dtype) for batch in held])
            if not np.isfinite(x).all():
                raise InputError(f"An activation at {site} does not fit {dtype.name}.", "Harvest with --dtype float32.")
            arrays[str(site)] = x
        for key, x in arrays.items():
            np.save(folder / _name(index, key), x, allow_pickle=False)
            sha256[_name(index, key)] = sha256_of_file(folder / _name(index, key))
    return Shard(rows=len(arrays["tokens"]), sha256=sha256)


def _name(index: int, key: str) -> str:
    return f"shard-{index:05d}.{key}.npy"


def _map(path: Path) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise RecordError(f"{path} is missing or cut short.", "Harvest again into a new folder.") from error


def _unfinished(folder: Path) -> _Written | None:
    try:
        return _Written.model_validate_json((folder / STATE).read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, json.JSONDecodeError) as error:
        raise RecordError(f"{folder / STATE} is broken.", "Delete the folder and harvest again.") from error
