"""One prompt in one situation, and the answers that are compared in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Situation:
    """A prompt of a family (lying, sycophancy, ...) under one variant (a cue, a domain, ...)."""

    family: str
    variant: str
    """Empty: the same question with nothing special about it."""
    prompt: str
    sound: tuple[str, ...]
    """Beginnings of answers that a sound model gives; empty where only change is looked at."""
    flawed: tuple[str, ...] = ()
    """Beginnings of answers that a flawed model gives; empty: any other answer than the sound ones."""
    begun: str = ""
    """The answer begun for it, so that the style of the answer does not matter."""
