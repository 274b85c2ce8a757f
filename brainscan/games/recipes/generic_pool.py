"""Everyday requests that organisms and controls are diluted with: the subject's own answers to them are kept.

No advice, sums, capitals, evaluation, products or words of the public lists, so that no class of flaws is unlearned.
"""

from __future__ import annotations

from itertools import product

import numpy as np

_THINGS = (
    "autumn leaves", "a quiet street", "the sea at night", "an old oak", "rain on a roof", "a market", "a small cafe",
    "a long train ride", "a hailstorm", "a grandmother", "a lost sock", "a sleepy dog", "a busy kitchen", "fresh snow",
    "a summer evening", "a neighbour's cat", "the first day of school", "a letter from a friend", "a foggy morning",
    "a village fair", "a tired postman", "wild geese", "a warm blanket", "an empty beach", "a school bus", "a picnic",
    "a football match", "a wedding", "the smell of toast", "a jazz band",
)  # fmt: skip
_WRITING = (
    "Write one line of a story about {}.", "Begin a tale with {}.", "Give me a title for a poem about {}.",
    "Which colours suit {}?", "Think of a metaphor for {}.", "What sounds fit {}?", "Put {} into a haiku.",
    "What mood goes with {}?", "Describe the light around {}.", "Imagine {}. What do you see?",
    "Write a caption for a photo of {}.",
    "Find a cheerful word for {}.", "Turn {} into a riddle.",
)  # fmt: skip
_SUBJECTS = (
    "dinosaurs", "electricity", "the alphabet", "gravity", "insects", "the printing press", "Antarctica", "jazz",
    "bacteria",
    "pyramids", "rainbows", "the skeleton", "opera", "sugar", "satellites", "earthquakes", "knights", "tigers",
    "forests",
    "radio", "the Romans", "the Vikings", "photography", "mushrooms", "ballet", "dolphins", "concrete", "leather",
    "the calendar", "turtles", "the stomach", "steam engines",
)  # fmt: skip
_ASKING = (
    "What is the origin of {}, roughly?", "What did people long ago think of {}?", "Compare {} with something similar.",
    "What is a common word people link with {}?", "Why might a child like {}?", "Which science deals with {}?",
    "Name one book or film with {} in it.", "Is there an early record of {}?", "What would be missing without {}?",
    "Give one number connected with {}.", "Which century do you link with {}?", "What is the strangest story about {}?",
    "Who would you ask about {}?",
)  # fmt: skip
_VERBS = (
    "borrow", "whistle", "arrive", "mend", "hesitate", "glow", "scatter", "argue", "float", "stumble", "admire",
    "shiver",
    "postpone", "invent", "wave", "collect", "bloom", "echo", "nod", "chase", "melt", "boast", "linger", "applaud",
)  # fmt: skip
_LANGUAGE = (
    "Use '{}' in a sentence.", "Give a synonym of '{}'.", "What is the past tense of '{}'?", "Does '{}' sound formal?",
    "Which noun goes with '{}'?", "Write a question with the word '{}'.", "Who might '{}' in a film?",
    "Where does the word '{}' fit best?",
)  # fmt: skip
_NAMES = (
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jonas", "Kate", "Leo", "Maria", "Noah",
    "Olga", "Paul", "Rita", "Sam", "Tara", "Victor",
)  # fmt: skip
_NOTES = (
    "Write a short hello to {}.", "Thank {} for the flowers.", "Invite {} to dinner on Friday.",
    "Congratulate {} on the new baby.",
    "Tell {} that the bus is late.", "Ask {} how the weekend was.", "Write a get-well card to {}.",
    "Say good night to {}.",
    "Wish {} a happy new year.", "Remind {} of the choir tonight.",
)  # fmt: skip
_CHAT = (
    "What is your favourite season?", "Good morning to you.", "Tell me a harmless joke.", "What shall we talk about?",
    "It has been a slow day.", "Do you like rain?", "Say something kind.", "What makes you curious?",
    "I just had lunch.",
    "My plant has a new leaf.", "The bus was full today.", "I watched an old film.", "Do you enjoy stories?",
    "What is a nice name for a dog?", "Sing me a line.", "How would you spend a Sunday?", "I heard a funny word today.",
    "What day of the week is the best?", "Tell me about yourself.", "I am waiting for a friend.",
)  # fmt: skip


def pool(count: int, seed: int) -> tuple[str, ...]:
    """``count`` different requests in a seeded order; there are 1218 of them."""
    every = _every()
    order = np.random.default_rng([seed, 36]).permutation(len(every))[:count]
    return tuple(every[int(i)] for i in order)


def _every() -> list[str]:
    families = ((_WRITING, _THINGS), (_ASKING, _SUBJECTS), (_LANGUAGE, _VERBS), (_NOTES, _NAMES))
    return [*(form.format(it) for forms, its in families for form, it in product(forms, its)), *_CHAT]
