"""SHA-256 of a model's files, remembered so that half a gigabyte is not read again at every scan."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from brainscan.core.files import write_atomic
from brainscan.core.provenance import sha256_of_file, sha256_of_json

REMEMBERED = "hashes.json"


def file_hashes(files: Iterable[Path], cache: Path) -> dict[Path, str]:
    """File -> SHA-256, taken from ``<cache>/hashes.json`` where path, size and time of change are the same.

    Someone who can set a file's times can fool the memory: ``brainscan verify`` reads the files anew.

    Raises:
        StorageError: the cache cannot be written.
    """
    memory = cache / REMEMBERED
    known = _read(memory)
    found = {path: known.get(_key(path)) or sha256_of_file(path) for path in files}
    new = {_key(path): sha256 for path, sha256 in found.items()}
    if not new.items() <= known.items():
        kept = {key: sha256 for key, sha256 in known.items() if Path(key.split("|", 2)[2]).exists()}
        write_atomic(memory, json.dumps({**kept, **new}, indent=0, sort_keys=True))
    return found


def joint_hash(named: dict[str, str]) -> str:
    """One hash over the sorted (name, hash) pairs of several files."""
    return sha256_of_json(sorted(named.items()))


def _key(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size}|{stat.st_mtime_ns}|{path.resolve()}"


def _read(memory: Path) -> dict[str, str]:
    """What was remembered; a memory that cannot be read is forgotten, not an error."""
    try:
        content = json.loads(memory.read_text())
        return {str(key): str(value) for key, value in content.items() if key.count("|") >= 2}
    except (OSError, ValueError, AttributeError):
        return {}
