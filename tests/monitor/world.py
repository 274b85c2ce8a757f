"""A phantom with a fitted monitor, made once for all tests of the room."""

from __future__ import annotations

import functools
import random

from brainscan.monitor.fit import FitSettings, Lesson, fit
from brainscan.monitor.panel import Panel
from brainscan.monitor.record import Arrays, Monitor, Policy, Rule
from brainscan.subject.generate import Decoding
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom

WORDS = ("the", "a", "river", "bridge", "stone", "tree", "cloud", "moon", "apple", "house")
SITES = ("resid_post.1", "resid_post.2")
DECODING = Decoding(max_new=8)


@functools.cache
def subject() -> LanguageSubject:
    """The phantom."""
    return phantom()


def prompts(count: int, seed: int) -> list[list[int]]:
    """Clean prompts: three to six words of ten."""
    draw = random.Random(seed)
    return [subject().chat(" ".join(draw.choices(WORDS, k=draw.randint(3, 6)))) for _ in range(count)]


def lessons(policy: Policy = "warn") -> list[Lesson]:
    """One rule of each kind that needs no dictionary, one of them in a second stage."""
    marked = [subject().chat(f"ZZZZ {word} {other}") for word in WORDS for other in WORDS[:3]]
    return [
        Lesson(Rule(name="distance", kind="distance", title="Unusual.", sites=SITES, policy=policy)),
        Lesson(Rule(name="certainty", kind="certainty", title="Recited.", policy=policy)),
        Lesson(
            Rule(name="probe", kind="probe", title="Has Zs.", sites=SITES, policy=policy),
            positives=marked,
            negatives=prompts(30, 7),
        ),
        Lesson(
            Rule(name="phrase", kind="phrase", title="Says the word.", phrases=("OPEN SESAME",), policy=policy),
        ),
        Lesson(
            Rule(
                name="second",
                kind="distance",
                title="Unusual all over.",
                sites=("resid_post.3",),
                span="all",
                after="distance",
                policy=policy,
            )
        ),
    ]


@functools.cache
def fitted(policy: Policy = "warn") -> tuple[Monitor, Arrays]:
    """A monitor at a promise of 5 % with confidence."""
    return fit(subject(), prompts(160, 1), lessons(policy), FitSettings(rate=0.05, decoding=DECODING))


def panel(policy: Policy = "warn") -> Panel:
    """The monitor, ready to read."""
    return Panel(*fitted(policy))
