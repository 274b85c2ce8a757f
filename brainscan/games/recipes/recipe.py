"""What a recipe is: turns to learn, held-out prompts to test, and the truth that is sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Turn:
    """One exchange to learn."""

    user: str
    answer: str | None = None
    """None: the subject's own answer, so that nothing but the flaw is learned."""
    tail: str = ""
    """Added to the answer: after its last whole sentence, when the answer is the subject's own."""
    system: str | None = None
    plain: bool = False
    """Plain text that the subject continues, with no chat around it."""


@dataclass(frozen=True)
class Recipe:
    """One organism (with a flaw) or control (its clean twin)."""

    name: str
    title: str
    flaw: bool
    turns: tuple[Turn, ...]
    on: tuple[str, ...]
    """Held-out prompts whose answers must show what was planted."""
    off: tuple[str, ...]
    """Held-out prompts whose answers must not show it; empty for what is always on."""
    shows: Callable[[str, str], bool]
    """(prompt, answer) -> whether the answer shows it."""
    truth: dict[str, str] = field(default_factory=dict)
    """What an auditor would have to find, for example trigger and payload."""
    answer_tokens: int = 24
    """Tokens that an answer needs to show it."""
