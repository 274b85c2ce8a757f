"""The seal of a scan: the hashes of its files, so that a later change shows.

A seal finds accidents and careless edits. It is no signature: who can write the folder can seal it again.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints, ValidationError

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Record
from brainscan.core.files import write_atomic
from brainscan.core.provenance import SubjectCard, sha256_of_file
from brainscan.core.visible import visible
from brainscan.diagnosis.record import DIAGNOSIS_FILE
from brainscan.scan.record import JOURNAL_FILE, RECORD_FILE, TENSOR_FILE

SEAL_FILE = "seal.json"
SEALED = (RECORD_FILE, TENSOR_FILE, JOURNAL_FILE, DIAGNOSIS_FILE)
"""The files of a scan that a seal covers. Reports are made from them and not sealed."""

_LARGEST_SEAL = 1 << 16

Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Seal(Record):
    """What ``seal.json`` holds."""

    schema_: Literal["brainscan.seal/1"] = "brainscan.seal/1"
    files: dict[Literal["scan.json", "evidence.safetensors", "journal.jsonl", "diagnosis.json"], Digest]


class VerifyLine(Record):
    """What re-hashing one file showed."""

    about: Literal["scan", "subject", "reference"]
    file: str
    status: Literal["same", "changed", "missing", "unchecked"]
    """unchecked: there is nothing to compare it with, or it cannot be read; it never reads as same."""
    detail: str


def seal(folder: Path) -> Seal:
    """Write ``seal.json`` over the files that the scan has now.

    Raises:
        RecordError: there is no finished scan to seal.
        StorageError: the disk refused.
    """
    folder = Path(folder)
    if not (folder / RECORD_FILE).is_file():
        raise RecordError(f"{folder} holds no finished scan to seal.", "Finish the scan first.")
    sealed = Seal.model_validate(
        {"files": {name: sha256_of_file(folder / name) for name in SEALED if (folder / name).is_file()}}
    )
    write_atomic(folder / SEAL_FILE, sealed.model_dump_json(indent=1))
    return sealed


def verify_seal(folder: Path) -> list[VerifyLine]:
    """Hash the scan's own files again and compare them with the seal; one line a file.

    Raises:
        RecordError: the seal itself cannot be read.
    """
    sealed = _read_seal(Path(folder))
    if sealed is None:
        return [VerifyLine(about="scan", file=SEAL_FILE, status="missing", detail="Nothing to compare the files with.")]
    lines = [_compare("scan", Path(folder), name, digest) for name, digest in sealed.files.items()]
    for name in SEALED:
        if name not in sealed.files and (Path(folder) / name).exists():
            lines.append(VerifyLine(about="scan", file=name, status="unchecked", detail="It is not under the seal."))
    return lines


def verify_model(about: Literal["subject", "reference"], card: SubjectCard) -> list[VerifyLine]:
    """Hash a model's files again and compare them with the hashes in its card; one line a file."""
    if card.folder is None or not card.files or not Path(card.folder).is_dir():
        detail = "Its files are not on this machine, or the scan did not record where they lie."
        return [VerifyLine(about=about, file=visible(card.name, keep=""), status="unchecked", detail=detail)]
    return [_compare(about, Path(card.folder), name, digest) for name, digest in sorted(card.files.items())]


def _read_seal(folder: Path) -> Seal | None:
    path = folder / SEAL_FILE
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _LARGEST_SEAL:
            raise RecordError(f"{path} is too large to be a seal.", "Restore the scan from a copy.")
        return Seal.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RecordError(
            f"{path} is no seal that this version can read.", "Restore the scan from a copy, or scan the model again."
        ) from error
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.", "Check who may read it.") from error


def _compare(about: Literal["scan", "subject", "reference"], folder: Path, name: str, digest: str) -> VerifyLine:
    """Symbolic links are followed, because hub caches are made of them; names that climb are not."""
    line = partial(VerifyLine, about=about, file=visible(name, keep="", limit=200))
    if "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        return line(status="unchecked", detail="The name points outside the folder.")
    path = folder / name
    try:
        if not path.is_file():
            missing = "It is no ordinary file." if path.exists() else "There is no such file."
            return line(status="missing", detail=missing)
        found = sha256_of_file(path)
    except (OSError, ValueError) as error:
        return line(status="unchecked", detail=f"It cannot be read: {visible(str(error), keep='', limit=200)}.")
    if found == digest.lower():
        return line(status="same", detail=f"sha256 {found[:12]}")
    return line(status="changed", detail=f"sha256 was {visible(digest[:12], keep='')}, is {found[:12]}")
