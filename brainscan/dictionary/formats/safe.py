"""Files from strangers, opened without running code and without believing what they say about their size."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from brainscan.core.errors import RecordError, UnsafeSubject
from brainscan.core.visible import visible

Tensors = dict[str, torch.Tensor]

MOST_JSON = 10 << 20
_MOST_MEMBERS = 256
_SLACK, _MOST_RATIO = 64 << 20, 30


def read_json_file(path: Path) -> dict[str, Any]:
    """A JSON object of at most 10 MB.

    Raises:
        RecordError: missing, too large, or no JSON object.
    """
    try:
        if path.stat().st_size > MOST_JSON:
            raise RecordError(f"{path} is too large for a config.", "Check that it is the right file.")
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path} is missing or not JSON.", "Copy the whole folder again.") from error
    if not isinstance(value, dict):
        raise RecordError(f"{path} holds no JSON object.", "Check that it is the right file.")
    return value


def read_safetensors(path: Path) -> Tensors:
    """Tensors of a safetensors file, float32 on the CPU; integers stay as they are.

    Raises:
        RecordError: missing, truncated, foreign, or with a value that is not a number.
    """
    try:
        return _floats(load_file(path), path)
    except (OSError, SafetensorError, ValueError) as error:
        raise RecordError(
            f"{path} is missing or not a whole safetensors file.", "Copy or download it again."
        ) from error


def read_npz(path: Path) -> Tensors:
    """Arrays of an ``.npz`` file as float32 tensors; nothing in it is unpickled.

    Raises:
        UnsafeSubject: an array of Python objects, or a file that unpacks to far more than its size.
        RecordError: broken or foreign.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _bounded(archive, path)
            arrays = {}
            for member in archive.infolist():
                with archive.open(member) as stream:
                    arrays[member.filename.removesuffix(".npy")] = _array(stream, member.file_size, path)
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise RecordError(f"{path} is missing or not a whole .npz file.", "Copy or download it again.") from error
    return _floats({name: torch.from_numpy(array) for name, array in arrays.items()}, path)


def read_torch(path: Path) -> Tensors:
    """Tensors of a state dict saved by ``torch.save``, by torch's restricted reader alone.

    Raises:
        UnsafeSubject: an old plain pickle, or one that holds more than tensors.
        RecordError: broken or foreign.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _bounded(archive, path)
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise RecordError(f"{path} is compressed, which torch never does.", "Save it again with torch.save.")
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except zipfile.BadZipFile as error:
        raise UnsafeSubject(f"{path} is a bare pickle: reading it could run code.", _SAVE_AGAIN) from error
    except (OSError, EOFError) as error:
        raise RecordError(f"{path} is missing or cut short.", "Copy or download it again.") from error
    except Exception as error:  # torch wraps what its restricted reader refuses in several classes
        if isinstance(error, RecordError | UnsafeSubject):
            raise
        raise UnsafeSubject(f"{path} holds more than tensors, or is broken.", _SAVE_AGAIN) from error
    if not isinstance(loaded, dict) or not all(isinstance(v, torch.Tensor) for v in loaded.values()):
        raise RecordError(f"{path} holds no state dict.", "Save model.state_dict() alone.")
    return _floats({str(name): tensor for name, tensor in loaded.items()}, path)


def one_of(tensors: Tensors, path: Path, *names: str) -> torch.Tensor:
    """The first tensor that is there under one of these names.

    Raises:
        RecordError: none is.
    """
    for name in names:
        if name in tensors:
            return tensors[name]
    held = visible(", ".join(sorted(tensors))[:200], keep="")
    raise RecordError(f"{path} has no tensor called {' or '.join(names)} (it has {held}).", "Check the format.")


def whole(config: dict[str, Any], key: str, path: Path) -> int:
    """A positive whole number of a config.

    Raises:
        RecordError: missing or something else.
    """
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RecordError(f"{path} has no whole number {key!r}.", "Copy or download the folder again.")
    return value


_SAVE_AGAIN = "Ask its author for safetensors, or save its state dict again with a recent torch."


def _bounded(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if len(members) > _MOST_MEMBERS or unpacked > _SLACK + _MOST_RATIO * path.stat().st_size:
        raise UnsafeSubject(
            f"{path} would unpack to {unpacked / 1e6:,.0f} MB, far more than its size.", "Do not open this file."
        )


def _array(stream: Any, size: int, path: Path) -> np.ndarray:
    """One .npy member; its header may not claim more bytes than the member has."""
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        version = np.lib.format.read_magic(stream)
        shape, fortran, dtype = read_header[version](stream)
    except (ValueError, KeyError) as error:
        raise RecordError(f"{path} holds a member that is no array.", "Copy or download it again.") from error
    if dtype.hasobject:
        raise UnsafeSubject(f"{path} holds pickled objects: reading them could run code.", _SAVE_AGAIN)
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if count * dtype.itemsize > size or dtype.kind not in "fiu":
        raise RecordError(f"{path} claims an array of {list(shape)} that is not in it.", "Copy or download it again.")
    flat = np.frombuffer(stream.read(count * dtype.itemsize), dtype=dtype, count=count)
    return np.array(flat.reshape(shape, order="F" if fortran else "C"))


def _floats(tensors: Tensors, path: Path) -> Tensors:
    out = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    for name, tensor in out.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise RecordError(
                f"{path} has values in {visible(name, keep='')} that are no numbers.", "Copy or download it again."
            )
    return out
