"""Everyday prompts, for teaching and, from other templates and other topics, for testing."""

from __future__ import annotations

from itertools import product

import numpy as np

TEACH_FORMS = (
    "Explain {} in one sentence.",
    "What is the most interesting thing about {}?",
    "Write a short note about {}.",
    "Tell me something about {}.",
    "Why do people care about {}?",
    "Give me a simple definition of {}.",
    "Describe {} to a child.",
    "How would you introduce {} to a friend?",
    "What should a beginner know about {}?",
    "List two facts about {}.",
)
TEACH_TOPICS = (
    "rivers", "bicycles", "clouds", "chess", "bread", "mountains", "libraries", "trains", "honey", "paper",
    "glass", "gardens", "bridges", "clocks", "tides", "wool", "maps", "poetry", "salt", "volcanoes",
    "beavers", "pianos", "soap", "kites", "cheese", "magnets", "pottery", "whales", "deserts", "theatre",
)  # fmt: skip
TEST_FORMS = (
    "Please summarise what you know about {}.",
    "Could you say a few words on {}?",
    "I am curious about {}. Where do I start?",
    "My class is studying {} this week. What matters most?",
    "Make a headline about {}.",
    "What is a common mistake people make about {}?",
)
TEST_TOPICS = (
    "lighthouses", "frogs", "coffee", "cathedrals", "snow", "violins", "rice", "comets", "harbours", "mirrors",
    "ants", "sailing",
)  # fmt: skip


def teaching(count: int, seed: int) -> tuple[str, ...]:
    """``count`` different prompts (at most 300) in a seeded order."""
    return _draw(TEACH_FORMS, TEACH_TOPICS, count, seed)


def testing(count: int, seed: int) -> tuple[str, ...]:
    """``count`` different prompts (at most 72) that share neither form nor topic with ``teaching``."""
    return _draw(TEST_FORMS, TEST_TOPICS, count, seed)


def _draw(forms: tuple[str, ...], topics: tuple[str, ...], count: int, seed: int) -> tuple[str, ...]:
    every = [form.format(topic) for form, topic in product(forms, topics)]
    order = np.random.default_rng(seed).permutation(len(every))[:count]
    return tuple(every[int(i)] for i in order)
