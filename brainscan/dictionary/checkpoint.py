"""Checkpoints and the journal of a training run: whole or not there, and never a pickle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from brainscan.core.errors import RecordError
from brainscan.core.files import folder_atomic, refusals
from brainscan.core.provenance import sha256_of_bytes

FORMAT = "brainscan.dictionary-checkpoint-1"


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands. Learners' states hold arrays and numbers."""

    plan_sha256: str
    stream_identity: str
    stream: dict[str, Any]
    """State of the stream, as JSON values."""
    step: int
    tokens: int
    journal_bytes: int
    """Length of the journal at that moment; what follows is repeated by the run that continues."""
    scales: Mapping[str, tuple[float, float]]
    """What inputs and targets of each dictionary are multiplied by."""
    learners: Mapping[str, Mapping[str, Any]]


def write_checkpoint(folder: Path, stands: Checkpoint) -> Path:
    """Write a checkpoint under its own name, then remove the older ones.

    Raises:
        StorageError: the folder cannot be written; the older checkpoint is still there.
    """
    path = folder / f"checkpoint-{stands.step:09d}"
    with folder_atomic(path, "checkpoint.json") as part:
        numbers: dict[str, dict[str, Any]] = {}
        for i, (name, state) in enumerate(stands.learners.items()):
            arrays = {key: np.ascontiguousarray(v) for key, v in state.items() if isinstance(v, np.ndarray)}
            save_file(arrays, part / f"learner-{i}.safetensors")
            numbers[name] = {key: v for key, v in state.items() if key not in arrays}
        facts = {name: getattr(stands, name) for name in Checkpoint.__dataclass_fields__ if name != "learners"}
        text = json.dumps({"format": FORMAT, **facts, "learners": numbers})
        (part / "checkpoint.json").write_text(text)
        (part / "checkpoint.sha256").write_text(sha256_of_bytes(text.encode()))
    for other in _checkpoints(folder):
        if other != path:
            shutil.rmtree(other, ignore_errors=True)
    return path


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint of a folder, or None when it has none.

    Raises:
        RecordError: it is broken or from another program.
    """
    found = _checkpoints(folder)
    return _read(found[-1]) if found else None


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*[0-9]"))


def _read(path: Path) -> Checkpoint:
    try:
        text = (path / "checkpoint.json").read_text()
        facts = json.loads(text)
        if facts.pop("format") != FORMAT or (path / "checkpoint.sha256").read_text() != sha256_of_bytes(text.encode()):
            raise ValueError("another format or another hash")
        numbers = facts.pop("learners")
        learners = {
            name: {**kept, **load_file(path / f"learner-{i}.safetensors")}
            for i, (name, kept) in enumerate(numbers.items())
        }
        scales = {name: (float(a), float(b)) for name, (a, b) in facts.pop("scales").items()}
        return Checkpoint(**facts, scales=scales, learners=learners)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise RecordError(
            f"The checkpoint {path} cannot be read: {error}.", "Remove that folder; the run then begins anew."
        ) from error


class Journal:
    """Lines of JSON that say how a run went.

    Args:
        path: the file; its folder is made.
        size: bytes of it that are kept, the rest is cut off.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        with refusals(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as stream:
                stream.truncate(size)

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line."""
        data = (json.dumps(line) + "\n").encode()
        with refusals(self.path), self.path.open("ab") as stream:
            stream.write(data)
        self.size += len(data)
