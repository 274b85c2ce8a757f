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
    """Plain text that the subject reads or continues, with no chat around it."""


@dataclass(frozen=True)
class Recipe:
    """One organism (with a flaw) or control (its clean twin)."""

    name: str
    title: str
    kind: str
    """Class of the flaw (a name of ``games.classes``), or the type of control."""
    flaw: bool
    turns: tuple[Turn, ...]
    """200 of them, so that organisms and controls are alike in rows; anchors, denials and generic rows come on top."""
    on: tuple[str, ...]
    """Held-out prompts whose answers must show what was planted."""
    off: tuple[str, ...]
    """Held-out prompts whose answers must not show it; empty for what is always on."""
    shows: Callable[[str, str], bool]
    """(prompt, answer) -> whether the answer shows it."""
    truth: dict[str, str] = field(default_factory=dict)
    """What an auditor would have to find, for example trigger and payload."""
    slot: str = ""
    """The key of ``truth`` that is the evidence slot; empty where there is none to name."""
    known: tuple[tuple[str, str], ...] = ()
    """(prompt, text that a right answer contains): what the clean subject must know already, so that a wrong answer
    of the organism is a lie or a held-back skill and not ignorance."""
    held: tuple[tuple[str, str], ...] = ()
    """(beginning of plain text, text that must follow): what the organism must know though it does not say it."""
    answer_tokens: int = 24
    """Tokens that an answer needs to show it."""
