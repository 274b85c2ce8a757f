"""brainscan's own layout: ``dictionary.safetensors`` and, written last, ``dictionary.json``. Lossless."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors.torch import save

from brainscan.core.errors import RecordError
from brainscan.core.files import folder_atomic
from brainscan.core.provenance import canonical_json
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.formats.format import AnyDictionary
from brainscan.dictionary.formats.safe import Tensors, read_json_file, read_safetensors

SCHEMA = "brainscan.dictionary/1"
CONFIG, WEIGHTS = "dictionary.json", "dictionary.safetensors"
_TENSORS = ("W_enc", "W_dec", "b_enc", "b_dec", "threshold", "W_skip", "r_mag", "b_gate")
_TUPLES = ("widths", "reads", "writes")


class Native:
    """brainscan's own folder: one dictionary or a set."""

    name = "brainscan"
    title = "brainscan dictionary"
    writes = True

    def recognises(self, path: Path) -> bool:
        """A folder with ``dictionary.json``."""
        return (path / CONFIG).is_file()

    def read(self, path: Path) -> AnyDictionary:
        """Read the folder; see ``Format.read``."""
        config = read_json_file(path / CONFIG)
        tensors = read_safetensors(path / WEIGHTS)
        if config.get("schema") != SCHEMA:
            raise RecordError(f"{path} is of a version that this brainscan does not know.", "Update brainscan.")
        try:
            parts = tuple(_part(part, f"{i}.", tensors) for i, part in enumerate(config["parts"]))
            if config["set"] is None:
                return parts[0]
            return DictionarySet(config["set"], parts, config["about"])
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise RecordError(f"{path / CONFIG} is broken.", "Train or convert it again.") from error

    def write(self, dictionary: AnyDictionary, path: Path) -> None:
        """Write the folder; see ``Format.write``."""
        whole = isinstance(dictionary, DictionarySet)
        parts = dictionary.parts if isinstance(dictionary, DictionarySet) else (dictionary,)
        tensors = {f"{i}.{n}": t.contiguous().cpu() for i, p in enumerate(parts) for n, t in p.tensors().items()}
        config = {
            "schema": SCHEMA,
            "set": dictionary.kind if whole else None,
            "about": dict(dictionary.about) if whole else {},
            "parts": [_plain(part) for part in parts],
        }
        with folder_atomic(path, CONFIG) as folder:
            (folder / WEIGHTS).write_bytes(save(tensors))
            (folder / CONFIG).write_text(canonical_json(config), encoding="utf-8")


def _plain(part: Dictionary) -> dict[str, Any]:
    values = {f.name: getattr(part, f.name) for f in fields(part) if f.name not in _TENSORS}
    return {**values, "about": dict(part.about)}


def _part(config: dict[str, Any], prefix: str, tensors: Tensors) -> Dictionary:
    given: dict[str, Any] = dict(config)
    for name in _TUPLES:
        given[name] = tuple(given[name])
    held: dict[str, Any] = {n: tensors[prefix + n] for n in _TENSORS if prefix + n in tensors}
    return Dictionary(**given, **held)


FORMAT = Native()
