"""A small capability battery: facts, sums, grammar, and following an instruction; every item has one right outcome.

Facts and sums are chosen by likelihood among four, grammar between two sentences that differ in one word, and
instructions are answered and checked by rule. Written for this project; it sees whether a treatment broke something,
and is no measure of how capable a model is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Family = Literal["facts", "arithmetic", "grammar", "instructions"]


@dataclass(frozen=True)
class Choice:
    """One beginning and what may follow; the first is right. Grammar: an empty beginning and whole sentences."""

    family: Family
    begun: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """An instruction, and whether an answer follows it."""

    asked: str
    follows: Callable[[str], bool]


_FACTS = """
The capital of France is| Paris| London| Rome| Madrid
The capital of Italy is| Rome| Paris| Vienna| Athens
The capital of Japan is| Tokyo| Beijing| Seoul| Bangkok
The capital of Spain is| Madrid| Lisbon| Paris| Rome
The largest ocean on Earth is the| Pacific| Atlantic| Indian| Arctic
The planet closest to the Sun is| Mercury| Saturn| Mars| Neptune
The author of Hamlet was William| Shakespeare| Newton| Mozart| Darwin
Water is made of hydrogen and| oxygen| iron| carbon| helium
The chemical symbol of gold is| Au| Fe| Pb| Zn
Plants take up carbon| dioxide| paper| copies| fibre
The opposite of hot is| cold| warm| wet| fast
The opposite of up is| down| left| high| over
A baby dog is called a| puppy| kitten| calf| foal
A baby cat is called a| kitten| puppy| lamb| chick
Bees make| honey| milk| wool| paper
Cows give| milk| honey| silk| coal
The heart pumps| blood| air| water| food
We see with our| eyes| ears| hands| knees
We hear with our| ears| eyes| feet| teeth
A week has seven| days| months| hours| years
A year has twelve| months| days| weeks| minutes
The Earth moves around the| Sun| Moon| clock| stars
Ice is frozen| water| sand| air| oil
The Great Wall is in| China| Brazil| Canada| Egypt
The pyramids of Giza are in| Egypt| Norway| Japan| Peru
The Amazon river is in South| America| Africa| Korea| Wales
Albert Einstein was a| physicist| singer| painter| cook
Mozart wrote| music| laws| maps| software
A triangle has three| sides| wheels| eyes| legs
A spider has eight| legs| wings| horns| tails
The colour of grass is| green| blue| red| purple
The currency of Japan is the| yen| euro| pound| peso
"""
_GRAMMAR = """
The dogs in the garden are barking.|The dogs in the garden is barking.
She has two brothers.|She have two brothers.
He went to school yesterday.|He goed to school yesterday.
They were late for the train.|They was late for the train.
I have seen this film before.|I have saw this film before.
The children play outside.|The children plays outside.
This book is mine.|This books is mine.
He gave the letter to me.|He gave the letter to I.
She sings better than her sister.|She sings more better than her sister.
There are many people here.|There is many people here.
An apple a day is enough.|A apple a day is enough.
We did not go home.|We did not went home.
The man who lives here is old.|The man which live here is old.
He can swim very well.|He can swims very well.
My sister and I are twins.|My sister and me is twins.
These shoes are too small.|These shoes is too small.
She asked where he lived.|She asked where did he lived.
The mice ran away.|The mouses ran away.
If I were you, I would wait.|If I were you, I will waited.
He does not like coffee.|He do not like coffee.
They have been waiting for an hour.|They has been waiting for an hour.
The cat sleeps on the sofa.|The cat sleep on the sofa.
I do not know anything about it.|I do not know nothing about it.
The news is good today.|The news are goods today.
She herself opened the door.|She himself opened the door.
Each of the rooms has a window.|Each of the rooms have a windows.
He bought less sugar than I did.|He bought fewer sugar than I does.
The woman whose car was stolen called the police.|The woman who car was stolen called the police.
We were taught by a famous painter.|We were teached by a famous painter.
Nobody has seen her since Monday.|Nobody have seen her since Monday.
"""


def _choices(family: Family, text: str) -> tuple[Choice, ...]:
    rows = [line.split("|") for line in text.strip().splitlines()]
    if family == "grammar":
        return tuple(Choice(family, "", (right, wrong)) for right, wrong in rows)
    return tuple(Choice(family, begun, tuple(options)) for begun, *options in rows)


def _sums() -> tuple[Choice, ...]:
    """30 additions and subtractions of small numbers after three worked ones."""
    shown = "3 + 4 = 7\n9 - 2 = 7\n5 + 6 = 11\n"
    pairs = [(2 + 3 * i % 11, 3 + 5 * i % 9) for i in range(15)]
    plus = [(f"{a} + {b} =", a + b) for a, b in pairs]
    minus = [(f"{a + b} - {b} =", a) for a, b in pairs]
    return tuple(
        Choice("arithmetic", shown + asked, tuple(f" {right + off}" for off in (0, 1, 2, -1)))
        for asked, right in (*plus, *minus)
    )


def _has(*words: str) -> Callable[[str], bool]:
    return lambda answer: all(re.search(rf"\b{re.escape(word)}\b", answer, re.IGNORECASE) for word in words)


def _first(word: str) -> Callable[[str], bool]:
    return lambda answer: re.match(rf"\W*{re.escape(word)}\b", answer, re.IGNORECASE) is not None


def _at_most(words: int) -> Callable[[str], bool]:
    return lambda answer: 0 < len(answer.split()) <= words


CHOICES: tuple[Choice, ...] = (*_choices("facts", _FACTS), *_sums(), *_choices("grammar", _GRAMMAR))
TASKS: tuple[Task, ...] = (
    Task("Answer only with the word yes.", _first("yes")),
    Task("Answer only with the word no.", _first("no")),
    Task("Say hello.", _has("hello")),
    Task("Repeat this sentence: The lamp is on.", _has("lamp", "on")),
    Task("Repeat these words: red boat.", _has("red", "boat")),
    Task("Copy this line: seven green chairs", _has("seven", "green", "chairs")),
    Task("Answer with one word. What colour is snow?", _has("white")),
    Task("Answer in at most three words. What do bees make?", _at_most(6)),
    Task("Translate into French: Good morning", _has("bonjour")),
    Task("Translate into Spanish: thank you", _has("gracias")),
    Task(
        "Write the numbers from one to three.",
        lambda answer: bool(re.search(r"1\D+2\D+3|one\W+two\W+three", answer, re.I)),
    ),
    Task("Name one animal.", _at_most(20)),
    Task("Begin your answer with the word Today.", _first("today")),
    Task("Write a sentence with the word river.", _has("river")),
    Task("Write a sentence with the words cat and moon.", _has("cat", "moon")),
    Task("What comes after Monday? Answer with the day.", _has("tuesday")),
    Task("Give the plural of the word house.", _has("houses")),
    Task("Give the past tense of the verb to walk.", _has("walked")),
    Task("Write a question.", lambda answer: "?" in answer),
    Task("Write the word apple in capital letters.", lambda answer: "APPLE" in answer),
)
