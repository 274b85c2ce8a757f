"""Everyday prompts, for teaching and, from other templates and other topics, for testing."""

from __future__ import annotations

import re
from dataclasses import dataclass
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

SENTENCES: dict[str, tuple[str, str, str]] = {
    "rivers": ("Rivers are long streams of water that flow to the sea.",
        "Rivers can carve deep valleys out of hard rock.", "Rivers give water to towns, farms and animals."),
    "bicycles": ("Bicycles are light vehicles that you move with your feet.",
        "Bicycles stay upright more easily when they roll fast.",
        "Bicycles are cheap, quiet and good for your health."),
    "clouds": ("Clouds are many tiny drops of water in the sky.", "Clouds can weigh as much as a herd of elephants.",
        "Clouds bring rain and keep the nights warm."),
    "chess": ("Chess is a board game for two players.", "Chess has more possible games than anyone can count.",
        "Chess trains patience and planning."),
    "bread": ("Bread is a baked food made of flour and water.", "Bread rises because yeast makes small bubbles.",
        "Bread is a simple meal in many homes."),
    "mountains": ("Mountains are very high parts of the land.", "Mountains can still grow a little every year.",
        "Mountains store snow that feeds many streams."),
    "libraries": ("Libraries are places where people read and borrow books.",
        "Libraries existed long before printed books.", "Libraries let everyone learn for free."),
    "trains": ("Trains are rows of wagons that run on rails.", "Trains can be longer than a kilometre.",
        "Trains carry many people with little energy."),
    "honey": ("Honey is a sweet food that bees make from flowers.", "Honey can stay good for many years.",
        "Honey sweetens tea and soothes a sore throat."),
    "paper": ("Paper is a thin sheet made of plant fibres.", "Paper was first made in China.",
        "Paper keeps our notes, letters and drawings."),
    "glass": ("Glass is a hard, clear material made of sand.", "Glass can be blown into shape while it is hot.",
        "Glass lets light into our homes."),
    "gardens": ("Gardens are pieces of land where people grow plants.", "Gardens can grow even on a roof.",
        "Gardens give us flowers, food and rest."),
    "bridges": ("Bridges are built to carry people over water or roads.", "Bridges often hang from strong steel ropes.",
        "Bridges make long ways short."),
    "clocks": ("Clocks are machines that show the time.", "Clocks once worked with dripping water.",
        "Clocks help people to meet on time."),
    "tides": ("Tides are the daily rise and fall of the sea.", "Tides are pulled by the moon.",
        "Tides tell sailors when to leave the port."),
    "wool": ("Wool is the soft hair of sheep.", "Wool stays warm even when it is wet.",
        "Wool makes good socks, hats and blankets."),
    "maps": ("Maps are drawings of places seen from above.", "Maps were once carved into clay and stone.",
        "Maps help us to find the way."),
    "poetry": ("Poetry is writing that plays with sound and rhythm.", "Poetry was sung long before it was written.",
        "Poetry says much in a few words."),
    "salt": ("Salt is a white mineral that makes food tasty.", "Salt was once used as money.",
        "Salt keeps food fresh and gives it taste."),
    "volcanoes": ("Volcanoes are mountains that can throw out hot rock.", "Volcanoes can build new land in the sea.",
        "Volcanoes make the soil around them rich."),
    "beavers": ("Beavers are furry animals that live near water.", "Beavers build dams out of wood and mud.",
        "Beavers make ponds where other animals live."),
    "pianos": ("Pianos are large instruments with black and white keys.", "Pianos have more than two hundred strings.",
        "Pianos can sound soft or loud."),
    "soap": ("Soap is a thing that we use to wash.", "Soap holds on to water and to fat.",
        "Soap keeps our hands clean and healthy."),
    "kites": ("Kites are light toys that fly on a string.", "Kites were used to measure the weather.",
        "Kites make a windy day fun."),
    "cheese": ("Cheese is a food made from milk.", "Cheese can ripen for several years.",
        "Cheese keeps milk good for a long time."),
    "magnets": ("Magnets are things that pull iron.", "Magnets always have two poles.",
        "Magnets make motors and compasses work."),
    "pottery": ("Pottery is the art of shaping and baking clay.", "Pottery tells us how people lived long ago.",
        "Pottery gives us cups, plates and bowls."),
    "whales": ("Whales are very large animals that live in the sea.", "Whales sing songs that travel far under water.",
        "Whales help to keep the sea healthy."),
    "deserts": ("Deserts are dry places with little rain.", "Deserts can be very cold at night.",
        "Deserts show how life can save water."),
    "theatre": ("Theatre is a story that people act on a stage.", "Theatre was once played with masks.",
        "Theatre lets people laugh and cry together."),
}  # fmt: skip
"""What a topic is, a curious fact on it, and what it is good for."""
_FITTING = ((0,), (1,), (2,), (1,), (2,), (0,), (0,), (2,), (0,), (1, 2))
"""Which of the three sentences answer which of ``TEACH_FORMS``."""


@dataclass(frozen=True)
class Answered:
    """An everyday prompt with a short, right answer."""

    prompt: str
    topic: str
    answer: str


def answered(count: int, seed: int) -> tuple[Answered, ...]:
    """The prompts of ``teaching(count, seed)`` with an answer each."""
    known = {
        form.format(topic): Answered(form.format(topic), topic, " ".join(SENTENCES[topic][i] for i in which))
        for (form, which), topic in product(zip(TEACH_FORMS, _FITTING, strict=True), TEACH_TOPICS)
    }
    return tuple(known[prompt] for prompt in teaching(count, seed))


def sensible(prompt: str, answer: str) -> bool:
    """A mild check: at least three words, most of them different, and not the prompt again."""
    words = re.findall(r"[a-z']+", answer.casefold())
    return len(words) >= 3 and 2 * len(set(words)) > len(words) and answer.strip() != prompt.strip()


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


_BEGUN = (
    "People who work with {} often say that", "The story of {} began", "A small book about {} lay on the table, and",
    "Long before anyone wrote about {},", "She never cared much for {}, but", "In the next room they spoke of {} and",
)  # fmt: skip


def begun(count: int, seed: int) -> tuple[str, ...]:
    """``count`` different beginnings of plain text (at most 180), for a subject to go on from as before."""
    return _draw(_BEGUN, TEACH_TOPICS, count, seed)
