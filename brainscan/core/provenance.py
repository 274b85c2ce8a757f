"""Where a result comes from: hashes, versions, and the card of a subject."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from brainscan.core.evidence import Record

_CHUNK = 1 << 22


class SubjectCard(Record):
    """Who the subject is, so that a scan can be repeated and verified without loading it."""

    id: str
    """As the user wrote it."""
    name: str
    family: str
    modality: str = "text"
    n_layers: int
    d_model: int
    n_heads: int
    d_mlp: int
    vocab_size: int
    n_parameters: int
    dtype: str
    device: str
    device_reason: str
    has_chat_template: bool
    remote_code: bool = False
    """True when code that came with the model was allowed to run."""
    weights_sha256: str
    """Hash over the sorted (name, hash) pairs of the weight files."""
    tokenizer_sha256: str
    files: dict[str, str]
    """File name -> SHA-256, for ``brainscan verify``."""
    folder: str | None = None
    """Where the files lie; None when they cannot be re-hashed."""
    notes: tuple[str, ...] = ()


class Versions(Record):
    """Software that took part."""

    brainscan: str
    python: str
    platform: str
    packages: dict[str, str]


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file, read in pieces, as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_json(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form (sorted keys, no spaces)."""
    return sha256_of_bytes(canonical_json(value).encode())


def sha256_of_bytes(data: bytes) -> str:
    """SHA-256 of bytes as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: Any) -> str:
    """One spelling for equal JSON values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def versions(
    packages: Iterable[str] = ("torch", "transformers", "tokenizers", "numpy", "scipy", "scikit-learn", "peft", "gguf"),
) -> Versions:
    """Installed versions of the packages named; those not installed are left out."""
    found: dict[str, str] = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return Versions(
        brainscan=brainscan_version(), python=platform.python_version(), platform=platform.platform(), packages=found
    )


def brainscan_version() -> str:
    """The installed version, or "0+unknown" in a bare source tree."""
    try:
        return importlib.metadata.version("brainscan")
    except importlib.metadata.PackageNotFoundError:
        return "0+unknown"
