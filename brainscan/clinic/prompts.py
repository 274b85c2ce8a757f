"""Prompts that a user gives: one a line of a text file, a field of JSON lines, or stdin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from brainscan.core.errors import InputError
from brainscan.core.evidence import Record, said_of

_LARGEST_FILE = 64 << 20


class Line(Record):
    """One object of a file of JSON lines; fields that nobody asked for are left alone."""

    model_config = {**Record.model_config, "extra": "ignore"}


class PromptLine(Line):
    """A prompt."""

    prompt: str = Field(min_length=1)


class QuestionLine(Line):
    """A question with the answers that count as right."""

    question: str = Field(min_length=1)
    answers: tuple[Annotated[str, Field(pattern=r"\w")], ...] = Field(min_length=1)


Kind = TypeVar("Kind", bound=Line)


def read_prompts(path: Path) -> list[str]:
    """Prompts of a file: one a line, or JSON lines with a field "prompt". Blank lines are left out.

    Raises:
        InputError: it cannot be read as text or holds no prompt.
    """
    if path.suffix == ".jsonl":
        return [line.prompt for line in read_lines(path, PromptLine)]
    prompts = [line for _, line in _numbered(path)]
    if not prompts:
        raise InputError(f"{path} holds no prompt.", "Write one a line.")
    return prompts


def read_lines(path: Path, kind: type[Kind]) -> list[Kind]:
    """The objects of a file of JSON lines. Blank lines are left out.

    Raises:
        InputError: it cannot be read as text, holds none, or a line is not of that kind.
    """
    found = [_line(path, number, line, kind) for number, line in _numbered(path)]
    if not found:
        raise InputError(f"{path} holds no line.", "Write one JSON object a line.")
    return found


def read_text(path: Path) -> str:
    """A whole file of text.

    Raises:
        InputError: it cannot be read, is not UTF-8 or larger than any file of prompts.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"{path} is larger than {_LARGEST_FILE >> 20} MB.", "Split it.")
        return path.read_bytes().decode()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from error


def read_stdin() -> str:
    """What stdin holds, without the newline at its end.

    Raises:
        InputError: it is not UTF-8 text.
    """
    try:
        return sys.stdin.read().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise InputError("What came on stdin is not UTF-8 text.", "Send UTF-8.") from error


def _numbered(path: Path) -> list[tuple[int, str]]:
    """Lines that are not blank, under their numbers. JSON may hold U+2028 and its like, which end no line here."""
    lines = enumerate(read_text(path).split("\n"), 1)
    return [(number, line.removesuffix("\r")) for number, line in lines if line.strip()]


def _line(path: Path, number: int, line: str, kind: type[Kind]) -> Kind:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        raise InputError(
            f"Line {number} of {path} cannot be used: {said_of(error)}.",
            f"Write one JSON object a line, with {' and '.join(kind.model_fields)}.",
        ) from error
