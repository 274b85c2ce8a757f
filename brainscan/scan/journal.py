"""The journal of a running scan: one line a finished step, so that a killed scan resumes.

A line is written and synced only after the step's arrays are safely on disk. A torn last line (the
process died while writing it) is dropped; the step then runs again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from brainscan.core.files import refusals, write_atomic
from brainscan.scan.record import JOURNAL_FILE, Arrays, StepResult

_PARTS = "parts"


class Journal:
    """Finished steps of one scan in its folder.

    Args:
        folder: the scan's folder; created when missing.
        key: hash of subject, reference and plan; a journal with another key is not ours to resume.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.path = Path(folder) / JOURNAL_FILE
        self.parts = Path(folder) / _PARTS
        self.key = key
        self.done: dict[str, StepResult] = {}
        self.arrays: Arrays = {}
        with refusals(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def add(self, result: StepResult, arrays: Arrays) -> None:
        """Record a finished step: arrays first, then its line.

        Raises:
            StorageError: the disk refused; the step will run again after resuming.
        """
        if arrays:
            data = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in arrays.items()}
            write_atomic(self.parts / f"{result.instrument}.safetensors", save(data))
        self._append({"step": result.model_dump(mode="json")})
        self.done[result.instrument] = result
        self.arrays.update(arrays)

    def close(self) -> None:
        """Drop the parts: the finished scan holds everything."""
        _drop_parts(self.parts)

    @classmethod
    def discard(cls, folder: Path) -> None:
        """Forget what was finished in a folder, so that a scan there begins anew.

        Raises:
            StorageError: the disk refused.
        """
        with refusals(folder):
            (folder / JOURNAL_FILE).unlink(missing_ok=True)
            _drop_parts(folder / _PARTS)

    def _open(self) -> None:
        lines = self._lines()
        if not lines or lines[0].get("key") != self.key:
            write_atomic(self.path, json.dumps({"key": self.key}) + "\n")
            return
        for line in lines[1:]:
            self._restore(line)
        kept = [{"key": self.key}, *({"step": r.model_dump(mode="json")} for r in self.done.values())]
        write_atomic(self.path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept))

    def _lines(self) -> list[dict[str, object]]:
        if not self.path.is_file():
            return []
        lines = []
        for raw in self.path.read_bytes().splitlines():
            try:
                lines.append(json.loads(raw))
            except ValueError:
                break
        return [line for line in lines if isinstance(line, dict)]

    def _restore(self, line: dict[str, object]) -> None:
        try:
            result = StepResult.model_validate(line.get("step"))
            part = self.parts / f"{result.instrument}.safetensors"
            arrays = load_file(part) if result.figures or part.is_file() else {}
        except (ValidationError, SafetensorError, OSError):
            return
        if result.outcome == "failed":
            return
        self.done[result.instrument] = result
        self.arrays.update(arrays)

    def _append(self, line: dict[str, object]) -> None:
        with refusals(self.path), self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def _drop_parts(parts: Path) -> None:
    for part in parts.glob("*.safetensors"):
        part.unlink()
    if parts.is_dir() and not any(parts.iterdir()):
        parts.rmdir()
