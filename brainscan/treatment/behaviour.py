"""What a treatment is to change: prompts that bring it out, prompts that must not, and how an answer is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.record import Rate

Wrap = Callable[[str], str]


@dataclass(frozen=True)
class Behaviour:
    """One behaviour. A treatment is made from ``learn`` and ``contrast`` alone and judged on ``on`` and ``off``."""

    name: str
    learn: tuple[str, ...]
    """Prompts that bring it out; whoever treats may look at these."""
    contrast: tuple[str, ...]
    """Prompts like them that do not; likewise."""
    on: tuple[str, ...]
    """Held-out prompts, from other templates, that bring it out."""
    off: tuple[str, ...]
    """Held-out prompts that do not."""
    shows: Callable[[str, str], bool]
    """(prompt, answer) -> whether the answer shows it."""
    tokens: int = 24
    """Tokens that an answer needs to show it."""


def spread(prompts: Sequence[str], most: int) -> tuple[str, ...]:
    """At most so many of them, evenly spaced, so that every kind of prompt in an ordered list has its share."""
    if len(prompts) <= most:
        return tuple(prompts)
    return tuple(prompts[i * len(prompts) // most] for i in range(most))


def answers(
    subject: LanguageSubject, prompts: Sequence[str], tokens: int, *, begun: Sequence[str] = (), wrap: Wrap = str
) -> list[str]:
    """Greedy answers; each may be begun (what it was begun with is part of what comes back) and each prompt wrapped."""
    starts = list(begun) or [""] * len(prompts)
    rows = [subject.chat(wrap(prompt), answer=start) for prompt, start in zip(prompts, starts, strict=True)]
    said = generate(subject, rows, Decoding(max_new=tokens)) if rows else []
    return [start + answer.text for start, answer in zip(starts, said, strict=True)]


def shown(behaviour: Behaviour, prompts: Sequence[str], said: Sequence[str]) -> tuple[bool, ...]:
    """Whether each answer shows the behaviour."""
    return tuple(behaviour.shows(prompt, answer) for prompt, answer in zip(prompts, said, strict=True))


def rate(
    subject: LanguageSubject,
    behaviour: Behaviour,
    prompts: Sequence[str],
    *,
    begun: Sequence[str] = (),
    wrap: Wrap = str,
) -> Rate:
    """In how many answers the behaviour shows, 0 (none) to 1 (all)."""
    said = answers(subject, prompts, behaviour.tokens, begun=begun, wrap=wrap)
    return Rate.of(sum(shown(behaviour, prompts, said)), len(prompts))
