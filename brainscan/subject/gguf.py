"""Any ``.gguf`` file -> a folder of float32 safetensors in the cache, converted once.

The folder is keyed by the file's SHA-256. ``brainscan.json`` inside it says where the weights come
from; it is written before the folder takes its name, so a folder with that file is complete.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

from filelock import FileLock

from brainscan.core.errors import BrokenSubject, MissingTokenizer, StorageError, SubjectNotFound, UnknownFamily
from brainscan.core.files import folder_atomic, refusals
from brainscan.core.provenance import sha256_of_file
from brainscan.core.visible import visible
from brainscan.subject.progress import Progress, silent, stage

ABOUT = "brainscan.json"
_CONVERTER = Path(__file__).with_name("convert.py")


def open_gguf(gguf: Path, cache: Path, progress: Progress = silent) -> Path:
    """The converted folder of a GGUF file, made on first use.

    Raises:
        SubjectNotFound: there is no such file.
        BrokenSubject: the file is truncated or is no GGUF file.
        MissingTokenizer: it holds weights only.
        UnknownFamily: transformers cannot convert its architecture.
        StorageError: the cache cannot be written.
    """
    if not gguf.is_file():
        raise SubjectNotFound(f"There is no file {gguf}.", "Check the path.")
    progress(0.0, f"hashing {gguf.name}")
    sha256 = sha256_of_file(gguf)
    target = cache / "gguf" / f"{gguf.stem}-{sha256[:16]}"
    about = {"source": gguf.name, "gguf_sha256": sha256}
    with cached_folder_lock(target):
        if not is_complete(target):
            dequantise(gguf, target, about, stage(progress, 0.05, 1.0))
    progress(1.0, "ready")
    return target


def check_gguf(gguf: Path) -> str:
    """Read the header, compare the tensors that it promises with the file's size, name the pre-tokenizer.

    Raises:
        BrokenSubject: not a GGUF file, or truncated.
        MissingTokenizer: no vocabulary inside.
        UnknownFamily: nobody knows its architecture.
    """
    with gguf.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise BrokenSubject(f"{gguf} is not a GGUF file.", "Fetch it again, or name the right file.")
    from gguf import MODEL_ARCH_NAMES, GGUFReader

    try:
        fields = GGUFReader(gguf).fields
    except Exception as error:  # the reader fails in as many ways as a file can be cut
        raise BrokenSubject(
            f"{gguf} is a truncated or damaged GGUF file of {gguf.stat().st_size} bytes.", "Fetch it again."
        ) from error
    architecture = _text(fields, "general.architecture", "none")
    if architecture not in MODEL_ARCH_NAMES.values():
        raise _failure(gguf, f"the architecture {architecture!r} is not supported")
    if "tokenizer.ggml.tokens" not in fields:
        raise MissingTokenizer(
            f"{gguf} holds weights but no tokenizer.", "Use a GGUF file of a whole language model with its vocabulary."
        )
    return _text(fields, "tokenizer.ggml.pre", "default")


def _text(fields: dict[str, Any], key: str, default: str) -> str:
    return str(fields[key].contents()) if key in fields else default


def dequantise(
    gguf: Path, target: Path, about: dict[str, Any], progress: Progress = silent, *, beside: tuple[Path, ...] = ()
) -> None:
    """Convert into ``target``, whole or not at all, in a process of its own.

    Args:
        gguf: the file.
        target: folder to make; an older conversion there is replaced.
        about: goes into ``brainscan.json``.
        progress: told at every step of the conversion.
        beside: files, licences for example, to copy into the folder.

    Raises:
        BrokenSubject, MissingTokenizer, UnknownFamily: it cannot be converted.
        StorageError: the place cannot be written.
    """
    progress(0.0, "reading the file's header")
    pre_tokenizer = check_gguf(gguf)
    with folder_atomic(target, ABOUT) as part:
        _run_converter(gguf, part, pre_tokenizer, progress)
        notes = json.loads((part / "notes.json").read_text())
        (part / "notes.json").unlink()
        content = {**about, "notes": notes, "transformers": importlib.metadata.version("transformers")}
        for path in beside:
            shutil.copyfile(path, part / path.name)
        (part / ABOUT).write_text(json.dumps(content, indent=2, sort_keys=True))


def is_complete(folder: Path) -> bool:
    """True for a folder converted by this major version of transformers (4 and 5 spell configs differently)."""
    try:
        made_by = json.loads((folder / ABOUT).read_text())["transformers"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return str(made_by).split(".")[0] == importlib.metadata.version("transformers").split(".")[0]


def cached_folder_lock(target: Path) -> FileLock:
    """A lock between processes that would make the same folder: the second one finds it made."""
    with refusals(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(target.parent / f".{target.name}.lock")


def _run_converter(gguf: Path, folder: Path, pre_tokenizer: str, progress: Progress) -> None:
    command = [sys.executable, "-P", str(_CONVERTER), str(gguf.absolute()), str(folder.absolute()), pre_tokenizer]
    last: deque[str] = deque(maxlen=1)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        try:
            for line in process.stdout or ():  # tqdm's carriage returns end lines here
                if not _hear(line, progress) and line.strip():
                    last.append(line.strip())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _failure(gguf, last[0] if last else f"the converter ended with code {process.returncode}")


def _hear(line: str, progress: Progress) -> bool:
    """Pass on what one line says of progress; False when the line says something else."""
    if told := re.match(r"@([\d.]+) (.+)", line):
        progress(float(told[1]), told[2])
    elif bar := re.match(r"Converting.*?(\d+)%\|", line):
        progress(0.35 + 0.35 * int(bar[1]) / 100, "unpacking weights")
    return bool(told or re.search(r"\d+%\|", line))


def _failure(gguf: Path, words: str) -> BrokenSubject | StorageError | UnknownFamily:
    words = visible(words, limit=300)
    if "No space left" in words:
        return StorageError(f"The disk is too full to convert {gguf.name}.", "Free some space and try again.")
    if "not supported" in words or "Unknown gguf" in words:
        return UnknownFamily(
            f"transformers cannot convert {gguf.name}: {words}",
            "Use the model's safetensors folder instead of the GGUF file.",
        )
    return BrokenSubject(
        f"{gguf} could not be converted: {words}", "Fetch the file again, or use its safetensors folder."
    )
