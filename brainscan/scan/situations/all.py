"""All situations, family by family."""

from __future__ import annotations

from functools import cache

from brainscan.scan.situations import advice, agreement, everyday, power, requests, truth
from brainscan.scan.situations.situation import Situation

FAMILIES = ("lying", "sandbagging", "sycophancy", "power-seeking", "refusal", "advice")
"""Families whose answers are scored; ``everyday`` is looked at for change alone."""


@cache
def all_situations() -> tuple[Situation, ...]:
    """Every situation, in a fixed order."""
    rooms = (truth, agreement, power, requests, advice, everyday)
    return tuple(each for room in rooms for each in room.situations())


def variants(family: str) -> tuple[str, ...]:
    """The named variants of a family, in order."""
    return tuple(dict.fromkeys(s.variant for s in all_situations() if s.family == family and s.variant))
