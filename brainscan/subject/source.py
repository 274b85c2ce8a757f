"""What a user wrote -> where the model is: short name, folder, GGUF file, hub id, each with an adapter or not.

    SUBJECT  = BASE | BASE+ADAPTER_FOLDER | BASE+ADAPTER_FOLDER:live
    BASE     = short name | folder | file.gguf | org/name on the hub

A short name wins over a folder of the same name in the current directory, which is then written
``./name``. Nothing is opened here and no network is reached.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from brainscan.core.errors import SubjectNotFound, UnsafeSubject
from brainscan.core.visible import visible
from brainscan.subject.cached import cached_models
from brainscan.subject.packaged import PACKAGED
from brainscan.subject.weights import PICKLES

LIVE = ":live"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Source:
    """Where a subject's files come from."""

    spec: str
    """As the user wrote it."""
    kind: Literal["packaged", "folder", "gguf", "hub"]
    name: str
    """Short name, hub id, or the last part of the path; with "+adapter" where there is one."""
    path: Path | None = None
    """The folder or the GGUF file; None for packaged models and the hub."""
    adapter: Path | None = None
    """A PEFT LoRA folder."""
    live: bool = False
    """True to keep the adapter's layers beside the weights instead of adding them in."""

    @property
    def base(self) -> str:
        """The name without the adapter."""
        return self.name if self.adapter is None else self.name.rsplit("+", 1)[0]


def parse_source(spec: str, cache: Path) -> Source:
    """Find out what a subject's spelling means.

    Args:
        spec: see the top of this file.
        cache: folder that holds brainscan's models; what lies in ``<cache>/models`` has a short name too.

    Raises:
        SubjectNotFound: nothing is there; proposes similar names.
        UnsafeSubject: it is a pickle file.
    """
    text, live = (spec.removesuffix(LIVE), True) if spec.endswith(LIVE) and "+" in spec else (spec, False)
    if "+" in text and not _path(text).exists():
        base, adapter = _split(text)
        source = _base(base, cache)
        return replace(source, spec=spec, name=f"{source.name}+{adapter.resolve().name}", adapter=adapter, live=live)
    return replace(_base(text, cache), spec=spec)


def absolute_spec(spec: str, cache: Path) -> str:
    """The same subject in a spelling that means it from any folder.

    Raises:
        SubjectNotFound, UnsafeSubject: as for ``parse_source``.
    """
    source = parse_source(spec, cache)
    base = source.base if source.path is None else str(source.path.resolve())
    adapter = "" if source.adapter is None else f"+{source.adapter.resolve()}"
    return f"{base}{adapter}{LIVE if source.live else ''}"


def short_names(cache: Path) -> tuple[str, ...]:
    """Every short name: the packaged models, then the language models in ``<cache>/models``."""
    return tuple(dict.fromkeys((*PACKAGED, *cached_models(cache))))


def _base(text: str, cache: Path) -> Source:
    path = _path(text)
    if text in PACKAGED:
        return Source(text, "packaged", text)
    if text in short_names(cache):
        return Source(text, "folder", text, cache / "models" / text)
    if text and path.is_dir():
        return Source(text, "folder", path.resolve().name, path)
    if path.is_file():
        return _file(text, path)
    if _HUB_ID.fullmatch(text) and not path.parent.is_dir() and path.suffix not in (".gguf", *PICKLES):
        return Source(text, "hub", text)
    raise SubjectNotFound(f"There is no model {_shown(text)}.", _proposal(text, path, short_names(cache)))


def _file(text: str, path: Path) -> Source:
    if path.suffix.lower() == ".gguf":
        return Source(text, "gguf", path.stem, path)
    if path.suffix in PICKLES:
        raise UnsafeSubject(
            f"{_shown(text)} may be a pickle: opening it could run any code, so it was not opened.",
            "Convert the model to a safetensors folder in a place that may be lost, then name that folder.",
        )
    raise SubjectNotFound(
        f"{_shown(text)} is a file, but not a GGUF file.", f"Name its folder instead: {_shown(str(path.parent))}"
    )


def _split(text: str) -> tuple[str, Path]:
    """The base and the adapter's folder: the cut at the rightmost "+" behind which an adapter lies."""
    cuts = [i for i, letter in enumerate(text) if letter == "+"]
    for cut in reversed(cuts):
        if (_path(text[cut + 1 :]) / "adapter_config.json").is_file():
            return text[:cut], _path(text[cut + 1 :])
    adapter = text[cuts[-1] + 1 :]
    path = _path(adapter)
    if adapter and path.is_dir():
        raise SubjectNotFound(
            f"{_shown(adapter)} is a folder without adapter_config.json, so it holds no PEFT adapter.",
            "Write BASE+ADAPTER_FOLDER with a folder that PEFT's save_pretrained wrote.",
        )
    raise SubjectNotFound(f"There is no adapter folder {_shown(adapter)}.", _proposal(adapter, path, ()))


def _proposal(text: str, path: Path, names: tuple[str, ...]) -> str:
    """The next step: similar short names and similar names beside the path, else the ways to name a model."""
    similar = difflib.get_close_matches(text.lower(), names, n=2, cutoff=0.5)
    if path.parent.is_dir() and path.name:
        beside = {entry.name: entry for entry in path.parent.iterdir() if not entry.name.startswith(".")}
        similar += [str(path.parent / name) for name in difflib.get_close_matches(path.name, beside, n=2, cutoff=0.6)]
    if similar:
        return f"Did you mean {' or '.join(visible(name, keep='') for name in similar)}?"
    known = f"a short name ({', '.join(names)}), " if names else ""
    return f"Name {known}a folder, a .gguf file, org/name on the hub, or BASE+ADAPTER_FOLDER."


def _path(text: str) -> Path:
    """A path as a shell would take it; text that no path can hold leads nowhere."""
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, ValueError, RuntimeError):
        return Path("/nowhere")
    return path


def _shown(text: str) -> str:
    return repr(visible(text, keep="", limit=200))
