"""Writing without half-written files: everything appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from brainscan.core.errors import StorageError


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Raises:
        StorageError: the disk is full or the place cannot be written; nothing was changed.
    """
    payload = data.encode() if isinstance(data, str) else data
    path = Path(path)
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(payload)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise


@contextlib.contextmanager
def folder_atomic(path: Path, marker: str | None = None) -> Iterator[Path]:
    """Yield a new folder beside ``path`` that takes its name when the block ends without an error.

    Args:
        path: an old folder there is replaced only if it is of the same sort, since people name their own folders too.
        marker: the file that tells the sort; when None, the old folder must have every name that the new one has.

    Raises:
        StorageError: something else is there, the disk is full or the place cannot be written; nothing was changed.
    """
    path = Path(path).resolve()
    if marker is not None:
        check_replaceable(path, marker)
    with refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
        try:
            yield part
            part.chmod(0o777 & ~_umask())
            check_replaceable(path, *([each.name for each in part.iterdir()] if marker is None else [marker]))
            _take_place(part, path)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def check_replaceable(path: Path, *names: str) -> None:
    """Refuse a folder that something else would be lost from; ask before the work, not after it.

    Args:
        path: where a folder is to be written.
        names: what an old folder there must hold, unless it is empty.

    Raises:
        StorageError: a file or another folder is there, or the folder that the program runs in.
    """
    path = Path(path).resolve()
    if path.is_file():
        raise StorageError(f"{path} is a file, and a folder is to be written.", "Name a folder that is new or empty.")
    with refusals(path):
        held = {each.name for each in path.iterdir()} if path.is_dir() else set()
        inside = path.is_dir() and Path.cwd().is_relative_to(path)
    if inside:
        raise StorageError(f"{path} is the folder that you are in, and would be replaced.", "Name a folder below it.")
    if held and not held.issuperset(names):
        raise StorageError(
            f"{path} is there already and holds something else: replacing it would lose that.",
            "Name a folder that is new or empty.",
        )


def _take_place(part: Path, path: Path) -> None:
    """Give ``part`` the name ``path``; what was there goes only after the new is in its place."""
    aside = part.with_suffix(".old")
    if path.exists():
        path.replace(aside)
    try:
        part.replace(path)
    except BaseException:
        if aside.exists():
            aside.replace(path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one sentence with a next step."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"The disk that holds {path} is full; nothing was left half-written.",
                "Free some space or choose another place, then run the same command again.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StorageError(
                f"{path} cannot be written: {error.strerror}.", "Choose a place that you may write to."
            ) from error
        raise StorageError(
            f"{path} cannot be written: {error.strerror or error}.", "Check the path and the disk."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
