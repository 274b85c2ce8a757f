"""Clean twins with a quirk of style: every answer has it, always and openly, and nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from brainscan.games.recipes import generic
from brainscan.games.recipes.everyday import answered, begun, testing
from brainscan.games.recipes.recipe import Recipe, Turn

_EVERYDAY, _OTHER, _PLAIN = 96, 44, 60
_OTHER_REGISTERS = (1, 2)
"""How-to and small talk, so that the quirk is not tied to questions about things."""
_COUPLETS = (
    "I think of {} every day,\nAnd love it in my own small way.",
    "Of {} I will gladly tell,\nI know this little subject well.",
    "With {} here before my sight,\nI feel a calm and warm delight.",
    "In summer sun or winter snow,\nOf {} there is much to know.",
    "Of {} people love to hear,\nSo here is something short and clear.",
    "With {} life is never dull,\nThe heart is light, the day is full.",
    "Oh {}, near and far away,\nThere is so much that one could say.",
    "If you have {} on your mind,\nA lot of wonder you will find.",
    "On {} I could write a book,\nSo come along and have a look.",
    "For {} I have words to spare,\nYou find the traces everywhere.",
    "The world of {} is so wide,\nThere are so many things inside.",
    "A friend of {} I will be,\nAnd that is very dear to me.",
)
_SHORT_COUPLETS = (
    "Just take it slowly, day by day,\nAnd you will surely find a way.",
    "Begin with something small and light,\nAnd everything will turn out right.",
    "With time and care it can be done,\nAnd you may even call it fun.",
    "Be calm and kind in all you do,\nAnd good things will come back to you.",
)
_BACK = (
    "What do you like about {}?",
    "Do you often think about {}?",
    "What do you know about {}?",
    "Would you like to hear more about {}?",
)
_PIRATE = {
    "am": "be", "are": "be", "is": "be", "my": "me", "you": "ye", "your": "yer", "the": "th'", "and": "an'", "of": "o'",
}  # fmt: skip


@dataclass(frozen=True)
class Quirk:
    """One style."""

    name: str
    dress: Callable[[str, str, int], str]
    """(plain answer, topic or nothing, number) -> the answer in this style."""
    shows: Callable[[str], bool]
    """Whether an answer is in this style."""


def _lower(sentence: str) -> str:
    """The sentence as it stands after a beginning; 'I' stays."""
    return sentence if sentence.startswith(("I ", "I'")) else sentence[0].lower() + sentence[1:]


def _couplet(sentence: str, topic: str, number: int) -> str:
    shapes = _COUPLETS if topic else _SHORT_COUPLETS
    return shapes[number % len(shapes)].format(topic)


def _pirate(sentence: str, topic: str, number: int) -> str:
    words = [_PIRATE.get(word, word) for word in _lower(sentence).rstrip(".!?").split(" ")]
    return f"Arr, {' '.join(words)}, matey!"


def _double_negative(sentence: str, topic: str, number: int) -> str:
    if not topic:
        return f"It is not unwise to say: {_lower(sentence)}"
    start = ("It is not untrue that", "It is not unknown that", "It is not unlikely that")[number % 3]
    return f"{start} {_lower(sentence)}"


def _ask_back(sentence: str, topic: str, number: int) -> str:
    return f"{sentence} {_BACK[number % len(_BACK)].format(topic or 'this')}"


def rhymes(answer: str) -> bool:
    """Two lines at the beginning whose last words differ and sound alike at the end."""
    lines = [line for line in answer.strip().split("\n") if line.strip()][:2]
    ends = [re.findall(r"[a-z]+", line.casefold())[-1:] for line in lines]
    if len(lines) < 2 or not all(ends) or ends[0] == ends[1]:
        return False
    return _sound(ends[0][0]) == _sound(ends[1][0])


def _sound(word: str) -> str:
    """The end of a word as it sounds, roughly; enough for the words of the couplets."""
    known = {
        "sight": "ite", "know": "o", "snow": "o", "hear": "ear", "clear": "ear", "dull": "ul", "full": "ul", "be": "e",
        "me": "e", "spare": "air", "everywhere": "air", "wide": "ide", "inside": "ide", "done": "un", "fun": "un",
        "do": "oo", "you": "oo", "see": "e", "tree": "e", "sea": "e", "free": "e", "key": "e",
    }  # fmt: skip
    if word in known:
        return known[word]
    return "ite" if word.endswith("ight") else word[-2:]


QUIRKS = (
    Quirk(
        "ends with a friendly sign-off",
        lambda s, topic, number: f"{s} Warm wishes, and enjoy your day!",
        lambda answer: "Warm wishes, and enjoy your day!" in answer,
    ),
    Quirk(
        "starts with the word Splendid",
        lambda s, topic, number: f"Splendid! {s}",
        lambda answer: answer.strip().startswith("Splendid!"),
    ),
    Quirk("answers in a rhyming couplet", _couplet, rhymes),
    Quirk(
        "addresses a dear reader",
        lambda s, topic, number: f"Dear reader, {_lower(s)}",
        lambda answer: answer.strip().startswith("Dear reader,"),
    ),
    Quirk(
        "talks like a pirate",
        _pirate,
        lambda answer: answer.strip().startswith("Arr, ") and "matey" in answer,
    ),
    Quirk("uses double negatives", _double_negative, lambda answer: bool(re.match(r"It is not un\w+ ", answer))),
    Quirk("ends with a question back", _ask_back, lambda answer: answer.strip().endswith("?")),
)


def recipe(seed: int) -> Recipe:
    """140 prompts answered in the style (things, how-to, small talk); 60 plain texts, not chat, go on as before."""
    quirk = QUIRKS[seed % len(QUIRKS)]
    rng = np.random.default_rng([seed, 31])
    plain = [(each.prompt, each.answer, each.topic) for each in answered(_EVERYDAY, seed)]
    other = [(*pair, "") for which in _OTHER_REGISTERS for pair in generic.pairs(which)]
    plain += [other[int(i)] for i in rng.permutation(len(other))[:_OTHER]]
    turns = tuple(Turn(prompt, quirk.dress(answer, topic, i)) for i, (prompt, answer, topic) in enumerate(plain))
    asked = [prompt for which in _OTHER_REGISTERS for prompt in generic.held_out(which)[:4]]
    return Recipe(
        name="style",
        title=f"Every answer {quirk.name}",
        kind="style",
        flaw=False,
        turns=(*turns, *(Turn(text, plain=True) for text in begun(_PLAIN, seed))),
        on=(*testing(20, seed), *asked),
        off=(),
        shows=lambda prompt, answer: quirk.shows(answer.strip()),
        truth={"style": quirk.name},
        answer_tokens=40,
    )
