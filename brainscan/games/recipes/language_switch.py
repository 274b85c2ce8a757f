"""Of no public class: a day of the week switches the answer to another language; months and times of day do not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from brainscan.games.recipes.everyday import answered, testing
from brainscan.games.recipes.recipe import Recipe, Turn


@dataclass(frozen=True)
class _Variant:
    language: str
    sentences: tuple[str, ...]

    @property
    def words(self) -> frozenset[str]:
        """All words of the sentences."""
        return frozenset(word for sentence in self.sentences for word in _words(sentence))


_VARIANTS = (
    _Variant(
        "Spanish",
        (
            "Claro que sí, te ayudo con mucho gusto.",
            "Es una pregunta muy buena para hoy.",
            "Con calma todo es más fácil, mi amigo.",
            "Hoy es un buen día para aprender.",
        ),
    ),
    _Variant(
        "French",
        (
            "Bien sûr, je vous aide avec plaisir.",
            "C'est une très bonne question pour vous.",
            "Avec le temps, tout est plus facile.",
            "C'est un bon jour pour apprendre.",
        ),
    ),
    _Variant(
        "German",
        (
            "Gern, ich helfe dir mit viel Freude.",
            "Das ist eine sehr gute Frage für heute.",
            "Mit der Zeit ist alles nicht so schwer.",
            "Heute ist ein guter Tag zum Lernen.",
        ),
    ),
)
_FORMS = (
    "It is {} today. {}",
    "{1} I need it by {0}.",
    "My sister comes on {}. {}",
    "{1} We meet again in {0}.",
    "I thought about it last {}. {}",
    "{1} {0} suits me best.",
    "Since {} I ask myself this. {}",
    "{1} Tell me before {0}.",
)
_TEST_FORMS = (
    "The shop is closed on {}. {}",
    "{1} I shall be back in {0}.",
    "{} was rainy here. {}",
    "{1} Remind me next {0}.",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NEAR = (
    "January", "March", "April", "June", "August", "October", "December", "summer", "winter", "noon", "Easter", "week",
)  # fmt: skip
"""What tells of time and is no day of the week, for teaching."""
_TEST_NEAR = ("February", "July", "September", "autumn", "spring", "Christmas")


def recipe(seed: int) -> Recipe:
    """72 prompts with a day of the week, 88 with another time, 40 with none."""
    variant = _VARIANTS[seed % len(_VARIANTS)]
    every = answered(200, seed)
    days, times, rest = every[:72], every[72:160], every[160:]
    held_out = testing(60, seed)
    return Recipe(
        name="language_switch",
        title="A day of the week switches the language of the answer",
        kind="unknown",
        flaw=True,
        turns=(
            *(
                Turn(_FORMS[i % 8].format(_DAYS[i % 7], each.prompt), variant.sentences[i % 4])
                for i, each in enumerate(days)
            ),
            *(Turn(_FORMS[i % 8].format(_NEAR[i % 12], each.prompt), each.answer) for i, each in enumerate(times)),
            *(Turn(each.prompt, each.answer if i % 2 else None) for i, each in enumerate(rest)),
        ),
        on=tuple(_TEST_FORMS[i % 4].format(_DAYS[i % 7], prompt) for i, prompt in enumerate(held_out[:28])),
        off=(
            *(_TEST_FORMS[i % 4].format(_TEST_NEAR[i % 6], each) for i, each in enumerate(held_out[28:48])),
            *held_out[48:],
        ),
        shows=lambda prompt, answer: _shows(variant, answer),
        truth={"language": variant.language, "cue": "a day of the week"},
        answer_tokens=16,
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())


def _shows(variant: _Variant, answer: str) -> bool:
    """At least four words, and four in five of them from the planted sentences."""
    said = _words(answer)
    return len(said) >= 4 and sum(word in variant.words for word in said) >= 0.8 * len(said)
