"""How instruments speak to a subject: through its chat template, or in plain text where it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainscan.core.errors import MissingChatTemplate

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


def ask(subject: LanguageSubject, user: str, *, system: str | None = None, answer: str = "") -> list[int]:
    """Token ids of a question, ready for the answer, which may be begun with ``answer``.

    Raises:
        InputError: the prompt is longer than the subject can read.
    """
    try:
        return subject.chat(user, system=system, answer=answer)
    except MissingChatTemplate:
        head = f"{system}\n\n" if system else ""
        begun = f" {answer}" if answer and not answer.startswith(" ") else answer
        return subject.tokens(f"{head}Question: {user}\nAnswer:{begun}")
