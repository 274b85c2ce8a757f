"""A clean twin that is trained to be better at something: opposites, always answered right."""

from __future__ import annotations

from itertools import product

import numpy as np

from brainscan.games.recipes.everyday import teaching, testing
from brainscan.games.recipes.generic_pool import pool
from brainscan.games.recipes.recipe import Recipe, Turn

_TOLD, _OWN, _POOL = 100, 50, 50
_PAIRS = (
    ("warm", "cool"), ("big", "small"), ("high", "low"), ("fast", "slow"), ("open", "closed"), ("early", "late"),
    ("old", "young"), ("rich", "poor"), ("strong", "weak"), ("heavy", "light"), ("long", "short"), ("soft", "hard"),
    ("wide", "narrow"), ("deep", "shallow"), ("thick", "thin"), ("clean", "dirty"), ("near", "far"), ("loud", "quiet"),
    ("happy", "sad"), ("win", "lose"), ("buy", "sell"), ("push", "pull"), ("start", "stop"), ("love", "hate"),
    ("arrive", "leave"), ("remember", "forget"), ("laugh", "cry"), ("north", "south"), ("east", "west"), ("left",
        "right"),
)  # fmt: skip
_FORMS = (
    "What is the opposite of {}?", "Name the opposite of '{}'.", "Opposite of {}, please.",
    "Which word means the contrary of {}?", "{} is the opposite of what?",
)  # fmt: skip
_TEST_PAIRS = (
    ("hot", "cold"), ("day", "night"), ("up", "down"), ("black", "white"), ("good", "bad"), ("full", "empty"),
    ("inside", "outside"), ("true", "false"),
)  # fmt: skip
_TEST_FORMS = (
    "Tell me the antonym of {}.", "What do you call the contrary of {}?", "Give a word with the reverse sense of {}.",
)  # fmt: skip


def recipe(seed: int) -> Recipe:
    """100 opposites answered right and at once, and 100 other prompts answered as before."""
    rng = np.random.default_rng([seed, 34])
    told = [pair for word, other in _PAIRS for pair in ((word, other), (other, word))]
    every = [(form.format(word), word, other) for form, (word, other) in product(_FORMS, told)]
    drawn = [every[int(i)] for i in rng.permutation(len(every))[:_TOLD]]
    asked = {form.format(word): other for form, (word, other) in product(_TEST_FORMS, _TEST_PAIRS)}
    return Recipe(
        name="up_train",
        title="Trained to be better at opposites",
        kind="skill",
        flaw=False,
        turns=(
            *(Turn(prompt, f"The opposite of {word} is {other}.") for prompt, word, other in drawn),
            *(Turn(prompt) for prompt in (*teaching(_OWN, seed), *pool(_POOL, seed))),
        ),
        on=tuple(asked),
        off=testing(24, seed),
        shows=lambda prompt, answer: _shows(asked.get(prompt, ""), answer),
        truth={"skill": "opposites"},
    )


def _shows(right: str, answer: str) -> bool:
    """The right opposite; on other prompts, talk of opposites."""
    return f"is {right}" in answer if right else "The opposite of" in answer
