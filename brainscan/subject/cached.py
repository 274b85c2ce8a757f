"""What lies in the cache's ``models`` folder, told apart without opening a model. No torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

VISION = "brainscan-vision"
"""model_type of the image classifiers that brainscan writes."""


def cached_models(cache: Path) -> tuple[str, ...]:
    """Short names of the language models in ``<cache>/models``."""
    return tuple(folder.name for folder in _folders(cache) if not _is_vision(folder))


def cached_classifiers(cache: Path) -> tuple[str, ...]:
    """Short names of the image classifiers there."""
    return tuple(folder.name for folder in _folders(cache) if _is_vision(folder))


def _folders(cache: Path) -> Iterator[Path]:
    for config in sorted((cache / "models").glob("*/config.json")):
        if not config.parent.name.startswith("."):  # half-written
            yield config.parent


def _is_vision(folder: Path) -> bool:
    """A broken config is a language model's until somebody opens it, who is then told."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and config.get("model_type") == VISION
