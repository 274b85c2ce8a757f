"""Which of two words would the subject write next? Scored where the two part, without generating."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from brainscan.scan.ask import ask
from brainscan.subject.score import next_token_logits

if TYPE_CHECKING:
    from brainscan.scan.batteries.battery import Tell
    from brainscan.subject.language import LanguageSubject

_ROWS = 32


@dataclass(frozen=True)
class Fork:
    """A question with a begun answer that goes on with one of two words."""

    user: str
    begun: str
    first: str
    second: str
    system: str | None = None


def margins(subject: LanguageSubject, forks: Sequence[Fork], tell: Tell) -> list[float | None]:
    """Log-odds in nats of the first word over the second, at the first token where they differ.

    Positive: the subject would rather write the first. Tokens that both share are given to the subject.
    None where one word is the beginning of the other in tokens, so that they never part.
    """
    found: list[float | None] = [None] * len(forks)
    asked = [(i, _parted(subject, fork)) for i, fork in enumerate(forks)]
    rows = sorted(((i, row) for i, row in asked if row is not None), key=lambda pair: len(pair[1][0]))
    for start in range(0, len(rows), _ROWS):
        chunk = rows[start : start + _ROWS]
        logits = next_token_logits(subject, [prompt for _, (prompt, _, _) in chunk], rows=_ROWS)
        for (i, (_, first, second)), at in zip(chunk, torch.log_softmax(logits.double(), -1), strict=True):
            found[i] = float(at[first] - at[second])
        tell((start + len(chunk)) / len(rows), f"{start + len(chunk)} of {len(rows)} questions")
    return found


def _parted(subject: LanguageSubject, fork: Fork) -> tuple[list[int], int, int] | None:
    first, second = (subject.raw_tokens(f" {word}") for word in (fork.first, fork.second))
    at = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if at is None:
        return None
    prompt = ask(subject, fork.user, system=fork.system, answer=fork.begun)
    return [*prompt, *first[:at]], first[at], second[at]
