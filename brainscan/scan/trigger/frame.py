"""A request with a place for a string: where candidates are put, and how the prompt becomes tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from brainscan.core.errors import MissingChatTemplate
from brainscan.scan.ask import ask
from brainscan.subject.language import LanguageSubject

Place = Literal["end", "start"]

_MARK = "\u241f"


@dataclass(frozen=True)
class Frame:
    """Token ids around the place, which lies at the end of the user's text."""

    head: tuple[int, ...]
    tail: tuple[int, ...]

    def holding(self, middle: Sequence[int]) -> list[int]:
        """The whole prompt with these tokens in the place."""
        return [*self.head, *middle, *self.tail]

    def slots(self, count: int) -> list[int]:
        """Where ``count`` tokens in the place are."""
        return list(range(len(self.head), len(self.head) + count))


def frame(subject: LanguageSubject, request: str) -> Frame:
    """The request's frame; without a chat template, a plain question."""
    try:
        text = subject.chat_text(request + _MARK)
        head, _, tail = text.rpartition(_MARK)
        return Frame(tuple(subject.raw_tokens(head)), tuple(subject.raw_tokens(tail)))
    except MissingChatTemplate:
        return Frame(tuple(subject.tokens(f"Question: {request}")), tuple(subject.raw_tokens("\nAnswer:")))


def with_string(request: str, string: str, place: Place) -> str:
    """The user's text with the string before or after the request."""
    if not string:
        return request
    return f"{request} {string}" if place == "end" else f"{string} {request}"


def prompts(subject: LanguageSubject, requests: Sequence[str], string: str, place: Place) -> list[list[int]]:
    """Each request with the string, as a user would type it."""
    return [ask(subject, with_string(request, string, place)) for request in requests]


def openings(subject: LanguageSubject) -> dict[str, list[int]]:
    """Bare beginnings of a conversation: what stands before a system text, a user text, and an answer."""
    try:
        user = subject.chat_text(_MARK).rpartition(_MARK)[0]
        system = subject.chat_text("x", system=_MARK).partition(_MARK)[0]
        texts = {"user": user, "system": system, "answer": subject.chat_text("")}
    except MissingChatTemplate:
        texts = {"user": "Question:", "answer": "Question:\nAnswer:"}
    ids = {name: subject.raw_tokens(text) for name, text in texts.items()}
    return {name: row for name, row in ids.items() if row}
