"""Checks on the files of a model before anything opens them, and on the numbers afterwards.

Nothing here runs code from a model: JSON and safetensors headers are read, pickles never are.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import struct
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from brainscan.core.errors import BrokenSubject, MissingTokenizer, UnsafeSubject
from brainscan.core.visible import visible

if TYPE_CHECKING:
    from torch import nn

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
"""Endings of files that run code when they are opened."""

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
)
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "vocab.json")

_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8, "C64": 8,
}  # fmt: skip
_LONGEST_HEADER = 100_000_000

_TO_SAFETENSORS = (
    "Convert it to safetensors inside a container that may be lost: load it there with transformers, call "
    "model.save_pretrained(NEW_FOLDER), and give NEW_FOLDER to brainscan."
)


def check_folder(folder: Path, *, allow_remote_code: bool = False) -> tuple[Path, ...]:
    """Check a model's folder before transformers sees it; returns its weight files.

    Raises:
        BrokenSubject: a file is missing, truncated or inconsistent.
        UnsafeSubject: only pickled weights, or code of the model's own that was not allowed.
        MissingTokenizer: no vocabulary.
    """
    check_config(folder, allow_remote_code=allow_remote_code)
    files = weight_files(folder)
    check_tokenizer(folder, allow_remote_code=allow_remote_code)
    return files


def check_config(folder: Path, *, allow_remote_code: bool = False) -> dict[str, Any]:
    """Read ``config.json`` and refuse what would run code or open other models.

    Raises:
        BrokenSubject: missing, not JSON, or the folder is an adapter.
        UnsafeSubject: it names code of its own, kernels to fetch or weights that are not safetensors.
    """
    if (folder / "adapter_config.json").exists():
        base = read_json(folder / "adapter_config.json").get("base_model_name_or_path") or "BASE"
        raise BrokenSubject(
            f"{folder} holds a LoRA adapter, not a whole model.",
            f"Name the model that it was trained on too: {visible(str(base), keep='', limit=200)}+{folder}",
        )
    if not (folder / "config.json").exists():
        raise BrokenSubject(f"{folder} has no config.json.", _whole_folder(folder))
    config = read_json(folder / "config.json")
    _refuse_own_code(folder / "config.json", config, allow_remote_code)
    _refuse_newer_config(folder / "config.json", config)
    for key in ("attn_implementation", "_attn_implementation", "experts_implementation"):
        if "/" in str(config.get(key, "")) and not allow_remote_code:
            raise UnsafeSubject(
                f"{folder / 'config.json'} asks for compiled code from the hub ({key}).", f"Remove {key} from it."
            )
    named = config.get("transformers_weights")
    if named is not None and not str(named).endswith((".safetensors", ".safetensors.index.json")):
        raise UnsafeSubject(f"{folder / 'config.json'} names weights that are not safetensors.", _TO_SAFETENSORS)
    return config


def check_tokenizer(folder: Path, *, allow_remote_code: bool = False) -> None:
    """Refuse a folder without a vocabulary, or whose tokenizer is code.

    Raises:
        MissingTokenizer, BrokenSubject, UnsafeSubject.
    """
    if not any((folder / name).exists() for name in _VOCABULARIES):
        raise MissingTokenizer(
            f"{folder} has weights but no tokenizer.",
            "Copy tokenizer.json and tokenizer_config.json of the model there.",
        )
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (folder / name).exists():
            content = read_json(folder / name)
            if name == "tokenizer_config.json":
                _refuse_own_code(folder / name, content, allow_remote_code)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model, each with a header that fits its size.

    Raises:
        BrokenSubject: none, one is missing, or one is truncated or inconsistent.
        UnsafeSubject: there are only pickled weights.
    """
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").exists():
        files = (folder / "model.safetensors",)
        read_header(files[0])
        return files
    if index.exists():
        return _shards(index)
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise UnsafeSubject(
            f"{folder} has its weights only in {visible(pickles[0], keep='')}, a pickle: opening it could run any code, so it "
            "was not opened.",
            _TO_SAFETENSORS,
        )
    raise BrokenSubject(f"{folder} has no safetensors weights.", _whole_folder(folder))


def read_header(path: Path) -> dict[str, Any]:
    """The header of a safetensors file, checked against the file's size: tensor name -> dtype, shape, offsets.

    Raises:
        BrokenSubject: truncated, or not a safetensors file.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = struct.unpack("<Q", stream.read(8))[0] if size >= 8 else _LONGEST_HEADER + 1
        if length > _LONGEST_HEADER:
            raise _broken(path, f"is not a safetensors file ({size:,} bytes)")
        if 8 + length > size:
            raise _broken(path, f"is truncated: its header alone takes {8 + length:,} bytes, the file has {size:,}")
        text = stream.read(length)
    try:
        header = json.loads(text)
        tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
        end = max((_end(entry) for entry in tensors.values()), default=0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _broken(path, "has a header that cannot be read") from error
    if 8 + length + end != size:
        what = "is truncated" if 8 + length + end > size else "has data behind its last tensor"
        raise _broken(path, f"{what}: its header promises {8 + length + end:,} bytes, the file has {size:,}")
    return tensors


def check_finite(model: nn.Module, name: str) -> None:
    """Refuse a model with weights that are not numbers.

    Raises:
        BrokenSubject: NaN or infinity; names the first three tensors and counts all.
    """
    bad = [key for key, tensor in model.state_dict().items() if tensor.is_floating_point() and not _finite(tensor)]
    if bad:
        shown = ", ".join(visible(key, keep="", limit=100) for key in bad[:3]) + (", ..." if len(bad) > 3 else "")
        raise BrokenSubject(
            f"{name} has NaN or infinite weights in {len(bad)} tensors: {shown}.",
            "Use an earlier checkpoint: a model that diverged in training cannot be examined.",
        )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a model's folder.

    Raises:
        BrokenSubject: not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BrokenSubject(
            f"{path} is not valid JSON: {visible(str(error), limit=200)}.", "Fetch it again."
        ) from error
    if not isinstance(content, dict):
        raise BrokenSubject(f"{path} does not hold a JSON object.", "Fetch it again.")
    return content


def _shards(index: Path) -> tuple[Path, ...]:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise _broken(index, "has no weight_map")
    headers: dict[str, dict[str, Any]] = {}
    for name in sorted(set(weight_map.values())):
        if PurePosixPath(name).name != name or not name.endswith(".safetensors"):
            raise UnsafeSubject(
                f"{index} names a file outside its folder or of another kind.", "Fetch the model again."
            )
        if not (index.parent / name).exists():
            raise _broken(index, f"names the shard {visible(name, keep='')}, which is missing")
        headers[name] = read_header(index.parent / name)
    lost = [tensor for tensor, name in weight_map.items() if tensor not in headers[name]]
    if lost:
        raise _broken(index, f"names {len(lost)} tensors that its shards lack, first {visible(lost[0], keep='')}")
    return tuple(index.parent / name for name in headers)


def _end(entry: dict[str, Any]) -> int:
    start, end = entry["data_offsets"]
    if end - start != math.prod(entry["shape"]) * _BYTES.get(entry["dtype"], 0) and entry["dtype"] in _BYTES:
        raise ValueError("a tensor's shape does not fit its bytes")
    return end


def _finite(tensor: Any) -> bool:
    return bool(tensor.isfinite().all())


def _refuse_own_code(path: Path, content: dict[str, Any], allow_remote_code: bool) -> None:
    if content.get("auto_map") and not allow_remote_code:
        raise UnsafeSubject(
            f"{path} asks to run Python code that came with the model (auto_map); it was not run.",
            "Read that code; if you trust it, scan again with --allow-remote-code (the report will say so).",
        )


def _refuse_newer_config(path: Path, config: dict[str, Any]) -> None:
    """transformers 4 would read such a config without an error and rotate with the wrong frequencies."""
    version = importlib.metadata.version("transformers")
    if version.startswith("4.") and "rope_parameters" in config and "rope_theta" not in config:
        raise BrokenSubject(
            f"{path} was written by transformers 5 and cannot be read correctly by transformers {version}.",
            "Install transformers 5: pip install 'transformers>=5'.",
        )


def _whole_folder(folder: Path) -> str:
    ggufs = sorted(folder.glob("*.gguf"))
    if ggufs:
        return f"Name the GGUF file itself: {ggufs[0]}"
    return "Name a folder that model.save_pretrained and tokenizer.save_pretrained wrote."


def _broken(path: Path, words: str) -> BrokenSubject:
    return BrokenSubject(f"{path} {words}.", "Fetch or save the file again.")
