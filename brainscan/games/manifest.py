"""What of the zoo ships in the repository: adapters beside a manifest of hashes, knobs and measured installs.

A shipped adapter is put back instead of being trained again, so that everybody's zoo is the same one.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Record
from brainscan.core.files import folder_atomic, write_atomic
from brainscan.core.provenance import sha256_of_file
from brainscan.games.plant import PLANT_FILE, Planted
from brainscan.games.zoo import BASE, Entry, entries, is_built, planted, weights_of
from brainscan.subject.lora import WEIGHTS_FILE

MANIFEST = "manifest.json"
SHIPPED_ROLES = ("calibration", "fresh")
"""Roles whose adapters are in the repository, with one seed of the tests; all others are rebuilt by ``make zoo``."""
_TEST_SEED = 2
_FILES = (WEIGHTS_FILE, "adapter_config.json", PLANT_FILE)


class Shipped(Record):
    """One line of the manifest."""

    name: str
    role: str
    sha256: str
    shipped: bool
    """Whether the adapter lies beside the manifest."""
    planted: Planted | None
    """None for the re-quantised base, which is not trained."""


class Manifest(Record):
    """Every model of the zoo that was ever built, with its hash, knobs and measured install."""

    base: str
    models: tuple[Shipped, ...]


def ships(entry: Entry) -> bool:
    """Whether its adapter belongs into the repository."""
    return entry.trained and (entry.role in SHIPPED_ROLES or (entry.role == "test" and entry.knobs.seed == _TEST_SEED))


def read_manifest(out: Path) -> Manifest:
    """The manifest in that folder; an empty one if there is none.

    Raises:
        RecordError: the file is there and is no manifest.
    """
    try:
        return Manifest.model_validate_json((Path(out) / MANIFEST).read_bytes())
    except FileNotFoundError:
        return Manifest(base=BASE, models=())
    except ValidationError as error:
        raise RecordError(
            f"{Path(out) / MANIFEST} is not a manifest of the zoo.",
            "Take it from the repository again: git checkout zoo.",
        ) from error


def write_manifest(zoo: Path, out: Path) -> Manifest:
    """Write the manifest and copy what ships beside it; lines of models that are not built here are kept."""
    before = {line.name: line for line in read_manifest(out).models}
    lines = []
    for entry in entries():
        if is_built(entry, zoo):
            lines.append(_line(entry, zoo))
            if ships(entry):
                for file in _FILES:
                    write_atomic(out / entry.name / file, (zoo / entry.name / file).read_bytes())
        elif entry.name in before:
            lines.append(before[entry.name])
    manifest = Manifest(base=BASE, models=tuple(lines))
    write_atomic(out / MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


def restore(out: Path, zoo: Path) -> tuple[str, ...]:
    """Put shipped adapters that the zoo lacks into it; returns their names.

    Raises:
        RecordError: an adapter is not the one of the manifest.
    """
    known = {line.name: line for line in read_manifest(out).models if line.shipped}
    back = []
    for entry in entries():
        if entry.name not in known or is_built(entry, zoo) or not (out / entry.name).is_dir():
            continue
        if sha256_of_file(weights_of(entry, out)) != known[entry.name].sha256:
            raise RecordError(
                f"The adapter in {out / entry.name} is not the one of the manifest.",
                "Take it from the repository again: git checkout zoo.",
            )
        with folder_atomic(zoo / entry.name) as part:
            for file in _FILES:
                write_atomic(part / file, (out / entry.name / file).read_bytes())
        back.append(entry.name)
    return tuple(back)


def _line(entry: Entry, zoo: Path) -> Shipped:
    return Shipped(
        name=entry.name,
        role=entry.role,
        sha256=sha256_of_file(weights_of(entry, zoo)),
        shipped=ships(entry),
        planted=planted(entry, zoo) if entry.trained else None,
    )
