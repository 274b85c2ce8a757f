"""How the verbs print: plain lines that survive a pipe, or JSON. Hostile characters are made visible."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from brainscan.core.evidence import Record
from brainscan.core.visible import visible


def print_json(value: Any) -> None:
    """Print a record, or a list or dict of records, as indented ASCII JSON on stdout."""
    print(json.dumps(value, indent=1, default=_plain))


def print_line(console: Console, *parts: str | tuple[str, str]) -> None:
    """Print one line of plain or (text, style) parts; nothing in them is read as markup and nothing is cut."""
    cleaned = [
        visible(part, keep="") if isinstance(part, str) else (visible(part[0], keep=""), part[1]) for part in parts
    ]
    console.print(Text.assemble(*cleaned), soft_wrap=True)


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Print plain lines."""
    for line in lines:
        print_line(console, line)


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no JSON form")
