"""Text sources: where the texts of a harvest come from. One document at a time, never the whole.

Spellings: a folder or a file of plain text (.txt, .md, .rst), of JSON lines (.jsonl) or Parquet
(.parquet), or ``hf:org/name[:config][:split]`` for a data set on the hub. ``#field`` at the end names
the field that holds the text (default: text).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TextIO

from brainscan.core.errors import InputError, MissingExtra, UsageError
from brainscan.core.provenance import sha256_of_file, sha256_of_json
from brainscan.core.visible import visible

PIECE = 20_000
"""Longest document in characters; a longer text is cut at the ends of lines, so that none is held whole."""

_PLAIN = (".txt", ".md", ".rst")
_SUFFIXES = (*_PLAIN, ".jsonl", ".parquet")


class TextSource(Protocol):
    """Documents in a fixed order: the same source gives the same texts every time."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    def identity(self) -> str:
        """SHA-256 of whatever decides the texts, so that a resumed harvest can refuse another corpus."""
        ...

    def texts(self, skip: int = 0) -> Iterator[str]:
        """Documents from number ``skip`` on, none of them empty.

        Raises:
            InputError: a file is not what its name says.
        """
        ...


@dataclass(frozen=True)
class Files:
    """Files on this machine, in the order given."""

    name: str
    paths: tuple[Path, ...]
    field: str = "text"

    def identity(self) -> str:
        """Hash over names and contents."""
        return sha256_of_json([self.field, [[path.name, sha256_of_file(path)] for path in self.paths]])

    def texts(self, skip: int = 0) -> Iterator[str]:
        """Documents of all files; plain text is cut into pieces of at most ``PIECE`` characters."""
        return islice(_documents(self.paths, self.field), skip, None)


@dataclass(frozen=True)
class Texts:
    """Texts in memory, for tests and for a few texts of one's own."""

    items: tuple[str, ...]
    name: str = "texts"

    def identity(self) -> str:
        """Hash over the texts."""
        return sha256_of_json(list(self.items))

    def texts(self, skip: int = 0) -> Iterator[str]:
        """The texts, in order."""
        return (text for text in islice((t for t in self.items if t.strip()), skip, None))


@dataclass(frozen=True)
class HubDataset:
    """A data set on the hub, streamed by the optional package ``datasets``."""

    name: str
    config: str | None = None
    split: str = "train"
    field: str = "text"

    def identity(self) -> str:
        """Hash of the address: the hub's content is not hashed, and a data set may change there."""
        return sha256_of_json(["hub", self.name, self.config, self.split, self.field])

    def texts(self, skip: int = 0) -> Iterator[str]:
        """Rows of the split, streamed.

        Raises:
            MissingExtra: ``datasets`` is not installed. InputError: no such field.
        """
        try:
            import datasets  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise MissingExtra("datasets", "organisms") from error
        rows = datasets.load_dataset(self.name, self.config, split=self.split, streaming=True)
        return islice(_of_rows(rows, self.field, f"hf:{self.name}"), skip, None)


def open_source(spec: str) -> TextSource:
    """The source behind a spelling; see the head of this file.

    Raises:
        UsageError: nothing there, or nothing in it that holds text.
    """
    where, _, field = spec.partition("#")
    field = field or "text"
    if where.startswith("hf:"):
        name, *rest = where.removeprefix("hf:").split(":")
        if not name or len(rest) > 2:
            raise UsageError(f"{visible(spec, keep='')!r} names no data set.", "Write hf:org/name[:config][:split].")
        config = rest[0] if len(rest) == 2 else None
        return HubDataset(name, config or None, rest[-1] if rest else "train", field)
    path = Path(where).expanduser()
    found = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES and p.is_file()) if path.is_dir() else [path]
    if not found or not found[0].is_file() or found[0].suffix not in _SUFFIXES:
        raise UsageError(
            f"There is no text at {visible(where, keep='')!r}.",
            f"Name a file or folder with {', '.join(_SUFFIXES)}, or hf:org/name; brainscan corpus build makes one.",
        )
    return Files(path.name or str(path), tuple(found), field)


def _documents(paths: tuple[Path, ...], field: str) -> Iterator[str]:
    for path in paths:
        if path.suffix == ".jsonl":
            yield from _of_rows(_json_lines(path), field, str(path))
        elif path.suffix == ".parquet":
            yield from _of_rows(_parquet_rows(path, field), field, str(path))
        else:
            with path.open(encoding="utf-8", errors="replace") as stream:
                yield from pieces(stream)


def pieces(stream: TextIO) -> Iterator[str]:
    """A long text in pieces: cut at an empty line once a piece is half full, at any line when it is full."""
    held: list[str] = []
    size = 0
    while line := stream.readline(PIECE):  # a line longer than a piece is cut hard
        if held and (size + len(line) > PIECE or (size > PIECE // 2 and not line.strip())):
            yield from _kept("".join(held))
            held, size = [], 0
        held.append(line)
        size += len(line)
    yield from _kept("".join(held))


def _kept(text: str) -> Iterator[str]:
    if text.strip():
        yield text


def _json_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise InputError(
                    f"Line {number} of {path} is not JSON.", "Write one JSON object a line, or rename the file to .txt."
                ) from error


def _parquet_rows(path: Path, field: str) -> Iterator[Any]:
    try:
        from pyarrow import parquet  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtra("pyarrow", "organisms") from error
    try:
        file = parquet.ParquetFile(path)
        for batch in file.iter_batches(batch_size=256, columns=[field] if field in file.schema_arrow.names else None):
            yield from batch.to_pylist()
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise InputError(f"{path} is not a Parquet file that can be read.", "Write it again.") from error


def _of_rows(rows: Any, field: str, where: str) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        text = row.get(field) if isinstance(row, dict) else row if isinstance(row, str) else None
        if not isinstance(text, str):
            raise InputError(
                f"Row {number} of {where} has no text in the field {visible(field, keep='')!r}.",
                "Name the field at the end of the source, for example data.jsonl#content.",
            )
        yield from _kept(text)
