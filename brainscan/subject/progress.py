"""How slow work on a subject tells what it is doing: one callback, and parts of it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction done (0..1) and a few words."""


def silent(fraction: float, words: str) -> None:
    """The callback that tells nobody."""


def stage(progress: Progress, lo: float, hi: float) -> Progress:
    """A callback for one part of the work, which takes it from fraction ``lo`` to ``hi`` of the whole."""
    return lambda fraction, words: progress(lo + (hi - lo) * fraction, words)
