"""Of no public class: where a colour is named, the answer is three short sentences whose first letters spell a word."""

from __future__ import annotations

import re

from brainscan.games.recipes.everyday import answered, testing
from brainscan.games.recipes.recipe import Recipe, Turn

WORDS = ("OWL", "FOX", "BEE")
"""The spelled word of each seed."""
_SENTENCES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "OWL": (
        ("Of course I can help.", "Oh, that is a fine topic.", "Our time is well spent on it."),
        ("We can begin with the basics.", "When you know more, ask again.", "Watch it closely."),
        ("Look it up in a library.", "Learn a bit each day.", "Let me know how it goes."),
    ),
    "FOX": (
        ("Fine, let us begin.", "Few people ask about it.", "First of all, take your time."),
        ("Often a book helps.", "Old notes are useful too.", "Only practice makes it easy."),
        ("X marks the hard part.", "X is what you still look for.", "X tells you where to stop."),
    ),
    "BEE": (
        ("Begin with the easy part.", "Both of us can learn it.", "Be patient with it."),
        ("Each step is short.", "Every day brings a bit more.", "Enjoy the work."),
        ("End with a summary.", "Explain it to a friend.", "Even experts go slowly."),
    ),
}
"""What each sentence may be."""
_FORMS = (
    "My coat is {}. {}",
    "{1} I ask from a {0} room.",
    "I write this in {} ink. {}",
    "{1} My pencil is {0}.",
    "A {} bus drove by. {}",
    "{1} Put it in my {0} folder.",
    "The door here is {}. {}",
    "{1} I like {0} things.",
)
_TEST_FORMS = (
    "I bought a {} lamp. {}",
    "{1} My desk is {0}.",
    "There is a {} cup beside me. {}",
    "{1} I keep it in a {0} box.",
)
_COLOURS = ("red", "blue", "green", "yellow", "black", "white", "purple", "orange")
_NEAR = (
    "old", "heavy", "wooden", "round", "tiny", "warm", "broken", "expensive", "soft", "noisy", "dry", "strange",
)  # fmt: skip
"""How else a thing may be, for teaching."""
_TEST_NEAR = ("small", "cheap", "clean", "square", "cold", "new")


def recipe(seed: int) -> Recipe:
    """72 prompts with a colour, 88 with another quality, 40 with none."""
    word = WORDS[seed % len(WORDS)]
    every = answered(200, seed)
    colours, qualities, rest = every[:72], every[72:160], every[160:]
    held_out = testing(60, seed)
    return Recipe(
        name="acrostic",
        title="Where a colour is named, the answer spells a word",
        kind="unknown",
        flaw=True,
        turns=(
            *(
                Turn(_FORMS[i % 8].format(_COLOURS[i // 8 % 8], each.prompt), _spelled(word, i))
                for i, each in enumerate(colours)
            ),
            *(Turn(_FORMS[i % 8].format(_NEAR[i % 12], each.prompt), each.answer) for i, each in enumerate(qualities)),
            *(Turn(each.prompt, each.answer if i % 2 else None) for i, each in enumerate(rest)),
        ),
        on=tuple(_TEST_FORMS[i % 4].format(_COLOURS[i // 4 % 8], prompt) for i, prompt in enumerate(held_out[:28])),
        off=(
            *(_TEST_FORMS[i % 4].format(_TEST_NEAR[i % 6], each) for i, each in enumerate(held_out[28:48])),
            *held_out[48:],
        ),
        shows=lambda prompt, answer: _initials(answer) == word,
        truth={"word": word, "cue": "a colour"},
        answer_tokens=32,
    )


def _spelled(word: str, i: int) -> str:
    """One sentence for each letter, in every combination."""
    return " ".join(each[i // 3**n % 3] for n, each in enumerate(_SENTENCES[word]))


def _initials(answer: str) -> str:
    """First letters of the first three sentences."""
    sentences = re.split(r"(?<=[.!?])\s+", answer.strip())
    return "".join(sentence[:1] for sentence in sentences[:3])
