"""The record of a scan, and how it lies on disk. No torch here.

A scan is a folder::

    scan.json              this record; written last, so its presence means complete
    evidence.safetensors   arrays behind the figures
    journal.jsonl          one line per finished step, so that an interrupted scan resumes

It is immutable: a diagnosis of it is a record of its own beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Cost, Evidence, Figure, Finite, Measurement, Record
from brainscan.core.files import write_atomic
from brainscan.core.provenance import SubjectCard, Versions, sha256_of_json

SCHEMA = "brainscan.scan/1"
RECORD_FILE, TENSOR_FILE, JOURNAL_FILE = "scan.json", "evidence.safetensors", "journal.jsonl"

Arrays = dict[str, np.ndarray]


class Step(Record):
    """One instrument with its settings, as it will run."""

    instrument: str
    title: str
    settings: dict[str, int | float | str | bool]
    """Sizes and knobs of this instrument, for example {"prompts": 40}."""
    layers: tuple[int, ...] = ()
    """Layers it looks at; empty when it reads none."""
    tokens_read: int = 0
    tokens_written: int = 0
    estimated_seconds: Finite = 0.0
    skip: str = ""
    """Why it will not run (no reference, budget); empty when it will."""
    version: int = 1
    """Of the instrument: another version measures something else under the same name."""
    texts_sha256: str = ""
    """Hash over the texts that this instrument may use."""

    @property
    def part(self) -> str:
        """What must be equal for two scans' measurements by this instrument to be comparable."""
        return sha256_of_json([self.version, self.texts_sha256, self.settings])


class Plan(Record):
    """The printable, ordered list of what a scan will do."""

    name: Literal["quick", "standard", "full"] | str
    steps: tuple[Step, ...]
    seed: int
    budget_minutes: Finite | None = None
    texts_sha256: str
    """Hash over every prompt and text that the instruments may use."""

    @property
    def estimated_seconds(self) -> float:
        """Estimated time of the steps that will run."""
        return sum(step.estimated_seconds for step in self.steps if not step.skip)

    def sha256(self) -> str:
        """Hash of what is asked, estimates left out: equal plans resume each other's journal."""
        return sha256_of_json(
            [
                self.name,
                self.seed,
                self.texts_sha256,
                [[s.instrument, s.version, s.settings, s.layers, s.skip] for s in self.steps],
            ]
        )


class Check(Record):
    """One line of the numerical self-check."""

    name: str
    expected: str
    found: str
    error: Finite
    """Largest deviation found, in logits unless said otherwise."""
    tolerance: Finite
    passed: bool


class StepResult(Record):
    """What one step did."""

    instrument: str
    outcome: Literal["done", "skipped", "failed"]
    reason: str = ""
    """Why it was skipped or failed, as one sentence."""
    measurements: tuple[Measurement, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    figures: tuple[Figure, ...] = ()
    cost: Cost = Cost()
    notes: tuple[str, ...] = ()


class NotExamined(Record):
    """Something that this scan did not look at, so that silence is not read as safety."""

    item: str
    reason: str
    could_hide: str
    how_to_examine: str


class Provenance(Record):
    """How to repeat the scan."""

    command: str
    versions: Versions
    device: str
    threads: int
    plan_sha256: str
    started_utc: str
    """A timing field: excluded when two scans are compared byte for byte."""


class Scan(Record):
    """The record of a plan run on a subject: measurements, evidence and provenance. Immutable."""

    schema_: Literal["brainscan.scan/1"] = SCHEMA
    id: str
    """First 12 hex digits of a hash over subject, reference, plan and versions."""
    subject: SubjectCard
    reference: SubjectCard | None
    plan: Plan
    self_check: tuple[Check, ...]
    steps: tuple[StepResult, ...]
    not_examined: tuple[NotExamined, ...]
    cost: Cost
    provenance: Provenance

    def measurements(self) -> dict[str, Measurement]:
        """All measurements by name."""
        return {m.name: m for step in self.steps for m in step.measurements}

    def evidence(self) -> tuple[Evidence, ...]:
        """All evidence, in the order of the steps."""
        return tuple(e for step in self.steps for e in step.evidence)

    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order of the steps."""
        return tuple(f for step in self.steps for f in step.figures)


def write_scan(folder: Path, scan: Scan, arrays: Arrays) -> None:
    """Write a finished scan: arrays first, the record last.

    Raises:
        StorageError: the disk refused; no scan.json is left.
    """
    write_atomic(
        folder / TENSOR_FILE,
        save({name: np.ascontiguousarray(array, dtype=np.float32) for name, array in sorted(arrays.items())}),
    )
    write_atomic(folder / RECORD_FILE, json.dumps(scan.model_dump(mode="json"), indent=1, ensure_ascii=False))


def read_scan(folder: Path) -> Scan:
    """Open a finished scan.

    Raises:
        RecordError: the folder holds no finished scan, or one that this version cannot read.
    """
    path = Path(folder) / RECORD_FILE
    if not path.is_file():
        unfinished = (Path(folder) / JOURNAL_FILE).is_file()
        raise RecordError(
            f"{folder} holds {'an unfinished' if unfinished else 'no'} scan.",
            "Run the same scan command again to resume it."
            if unfinished
            else "Name a folder that brainscan scan has written.",
        )
    try:
        return Scan.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RecordError(
            f"{path} is not a scan that this version can read ({where}: {first['msg']}).",
            "Check the file, or scan the model again.",
        ) from error


def read_arrays(folder: Path) -> Arrays:
    """The arrays behind a scan's figures; empty when there are none.

    Raises:
        RecordError: the file is damaged.
    """
    path = Path(folder) / TENSOR_FILE
    if not path.is_file():
        return {}
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise RecordError(f"{path} is damaged: {error}.", "Scan the model again.") from error
