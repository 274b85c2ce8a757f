"""Countries swapped inside SmolLM2: nodes read in ``Country:`` prompts of some cities, put into other cities' prompts.

python -m bench.circuit_swaps [develop|report ...]

``develop`` tries doses on the cities that countries are read from, each left out of its own country's reading; what is best
there are ``DOSE``, ``FIRST_LAYER`` and ``BASELINE``. ``report`` writes docs/circuits.json: its cities were used for nothing else.

Nodes are chosen by the means of two countries, and each moves from what it is at the city itself to its mean in the new
country, times the dose.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from bench.circuits import MODEL, clustered_row, write_rows
from brainscan.activations.capture import capture
from brainscan.circuits.basis import Neurons
from brainscan.circuits.swap import MOST_NODES, Concept, Place, make_transplant, mean_concept, read_concept
from brainscan.circuits.targets import one_token
from brainscan.clinic.circuit import place_in
from brainscan.core.address import Site
from brainscan.subject.edit import Edit, Layout
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject
from brainscan.subject.tree import TokenTree, tree_logits

DOSE, FIRST_LAYER, BASELINE = 2.0, 6, 16
"""The dose, the lowest layer whose nodes are changed, and the layer at which the mean-difference vector is added."""
PAIRS = 110
SHOTS = {
    "Country": (("Lyon", "France"), ("Munich", "Germany")),
    "Language": (("Lyon", "French"), ("Munich", "German")),
    "Continent": (("Lyon", "Europe"), ("Delhi", "Asia")),
}
Change = Mapping[Site, torch.Tensor]
"""What is added at one place [d], site by site."""


@dataclass(frozen=True)
class Country:
    """One country: what is asked about it, the cities that it is read from, and cities held out."""

    language: str | None
    """None, like the continent's, where SmolLM2 itself does not say it of all three cities that are read."""
    continent: str | None
    read: tuple[str, str, str]
    held: tuple[str, ...]

    def said(self, what: str) -> str | None:
        """The right answer."""
        return self.language if what == "Language" else self.continent


COUNTRIES = {
    "Spain": Country("Spanish", "Europe", ("Madrid", "Valencia", "Seville"), ("Malaga", "Zaragoza")),
    "Germany": Country("German", "Europe", ("Hamburg", "Berlin", "Frankfurt"), ("Cologne", "Dresden", "Stuttgart")),
    "France": Country("French", "Europe", ("Marseille", "Paris", "Bordeaux"), ("Toulouse", "Nice", "Strasbourg")),
    "Italy": Country("Italian", "Europe", ("Milan", "Rome", "Naples"), ("Turin", "Florence", "Venice")),
    "Russia": Country("Russian", "Europe", ("Moscow", "Kazan", "Novosibirsk"), ("Omsk", "Volgograd")),
    "Greece": Country("Greek", "Europe", ("Athens", "Thessaloniki", "Patras"), ("Heraklion",)),
    "Portugal": Country("Portuguese", "Europe", ("Lisbon", "Porto", "Coimbra"), ("Faro",)),
    "Poland": Country("Polish", "Europe", ("Warsaw", "Krakow", "Gdansk"), ("Poznan", "Lublin")),
    "Sweden": Country("Swedish", "Europe", ("Stockholm", "Gothenburg", "Malmo"), ("Uppsala",)),
    "Hungary": Country(None, "Europe", ("Budapest", "Debrecen", "Szeged"), ("Miskolc",)),
    "Japan": Country("Japanese", "Asia", ("Osaka", "Nagoya", "Sapporo"), ("Fukuoka", "Hiroshima")),
    "China": Country("Chinese", "Asia", ("Shanghai", "Beijing", "Shenzhen"), ("Wuhan", "Chengdu")),
    "Turkey": Country("Turkish", None, ("Istanbul", "Ankara", "Izmir"), ("Bursa", "Antalya")),
    "Egypt": Country(None, "Africa", ("Cairo", "Aswan", "Luxor"), ("Suez", "Giza")),
    "Morocco": Country(None, "Africa", ("Casablanca", "Rabat", "Fez"), ()),
}


def main(names: list[str]) -> None:
    """Try doses, or report."""
    for name in names or ["report"]:
        lab = Lab(load_subject(MODEL))
        if name == "develop":
            develop(lab)
        else:
            write_rows(report(lab), "python -m bench.circuit_swaps report")


class Lab:
    """One subject, with every country read once a city."""

    def __init__(self, subject: LanguageSubject) -> None:
        self.subject = subject
        self.home = {city: name for name, c in COUNTRIES.items() for city in (*c.read, *c.held)}
        self._read: dict[str, Concept] = {}
        self._streams: dict[str, torch.Tensor] = {}

    @cached_property
    def tokens(self) -> dict[str, int]:
        """Country -> its token."""
        return {name: one_token(self.subject, f" {name}") for name in COUNTRIES}

    def read(self, city: str) -> Concept:
        """A city's country as it stands at the city in a ``Country:`` prompt."""
        if city not in self._read:
            place = self.place(city, "Country")
            self._read[city] = read_concept(self.subject, place, Neurons(), list(self.tokens.values()))
        return self._read[city]

    def stream(self, city: str) -> torch.Tensor:
        """The stream [d] at the city in a ``Country:`` prompt, for the baseline."""
        if city not in self._streams:
            place, site = self.place(city, "Country"), Site("resid_post", BASELINE)
            self._streams[city] = capture(self.subject, [place.ids], [site])[site].rows[0][place.position]
        return self._streams[city]

    def place(self, city: str, what: str) -> Place:
        """A city in a prompt of three shots; its answer is its country."""
        shots = "".join(f"City: {shot}. {what}: {answer}\n" for shot, answer in SHOTS[what])
        return place_in(self.subject, f"{shots}City: {city}. {what}:", city, self.tokens[self.home[city]])

    def others(self, city: str) -> list[str]:
        """The cities that a city's country is read from, itself left out."""
        return [other for other in COUNTRIES[self.home[city]].read if other != city]

    def nodes(self, city: str, new: str, *, dose: float = DOSE, control: bool = False, seed: int = 0) -> Change:
        """What turns a city's country into another."""
        home = mean_concept([self.read(other) for other in self.others(city)])
        there = mean_concept([self.read(other) for other in COUNTRIES[new].read])
        transplant = make_transplant(
            self.read(city), there, kinds=(home, there), first_layer=FIRST_LAYER, nodes=MOST_NODES, seed=seed
        )
        vectors = transplant.random if control else transplant.vectors
        return {Site("mlp_out", layer): dose * vector for layer, vector in vectors.items()}

    def difference(self, city: str, new: str, *, own: bool = False) -> Change:
        """The baseline: the new country's mean stream less that of the city's own country, or of the city itself."""
        old = [city] if own else self.others(city)
        sides = [torch.stack([self.stream(c) for c in cities]).mean(0) for cities in (COUNTRIES[new].read, old)]
        return {Site("resid_post", BASELINE): sides[0] - sides[1]}

    def hits(self, pairs: Sequence[tuple[str, str]], what: str, changes: Sequence[Change]) -> list[bool]:
        """Of pairs (city, new country), whether the most likely answer is the new country's."""
        places = [self.place(city, what) for city, _ in pairs]
        return said(
            self.subject, [place.ids for place in places], [[self.wanted(new, what)] for _, new in pairs],
            [place.position for place in places], changes,
        )  # fmt: skip

    def wanted(self, country: str, what: str) -> int:
        """The first token of an answer."""
        return self.subject.raw_tokens(f" {COUNTRIES[country].said(what)}")[0]

    def known(self, cities: Sequence[str], what: str) -> list[str]:
        """The cities of which the model, unedited, says what is right."""
        cities = [city for city in cities if COUNTRIES[self.home[city]].said(what)]
        right = said(
            self.subject, [self.place(city, what).ids for city in cities],
            [[self.wanted(self.home[city], what)] for city in cities],
        )  # fmt: skip
        return [city for city, each in zip(cities, right, strict=True) if each]

    def pairs(self, cities: Sequence[str], what: str, most: int) -> list[tuple[str, str]]:
        """(city, country of another answer), drawn at random."""
        every = [
            (city, new) for city in self.known(cities, what) for new, country in COUNTRIES.items()
            if country.said(what) and country.said(what) != COUNTRIES[self.home[city]].said(what)
        ]  # fmt: skip
        return random.Random(0).sample(every, min(most, len(every)))


def develop(lab: Lab, pairs: int = 40) -> None:
    """Doses on the cities that countries are read from."""
    cities = [city for country in COUNTRIES.values() for city in country.read]
    for what in ("Language", "Continent"):
        chosen = lab.pairs(cities, what, pairs)
        for dose in (1.0, 1.5, 2.0, 2.5, 3.0):
            sides = (
                [lab.nodes(*p, dose=dose, control=control, seed=i) for i, p in enumerate(chosen)]
                for control in (False, True)
            )
            hits, drawn = (sum(lab.hits(chosen, what, side)) for side in sides)
            print(f"{what}: x {dose:g}, nodes {hits}/{len(chosen)}, random ones {drawn}/{len(chosen)}", flush=True)


def report(lab: Lab) -> Iterator[dict[str, Any]]:
    """Swaps on held-out cities, their controls and the baseline. Several pairs share a city, so intervals are by city."""
    held = [city for country in COUNTRIES.values() for city in country.held]
    tasks = {what: lab.pairs(held, what, PAIRS) for what in ("Language", "Continent")}
    for (what, pairs), target in zip(tasks.items(), (0.85, 0.60), strict=True):
        asked = [city for city, _ in pairs]
        hits = lab.hits(pairs, what, [lab.nodes(*pair) for pair in pairs])
        yield clustered_row(f"{_title(what)}, {MOST_NODES} country nodes", hits, asked, target)
        drawn = [lab.nodes(*pair, control=True, seed=i) for i, pair in enumerate(pairs)]
        hits = lab.hits(pairs, what, drawn)
        yield clustered_row(f"{_title(what)}, random nodes of equal norm", hits, asked, 0.03, "lower")
    for what, pairs in tasks.items():
        for words, own in (
            ("mean difference of two countries", False),
            ("mean stream in place of the city's own", True),
        ):
            hits = lab.hits(pairs, what, [lab.difference(*pair, own=own) for pair in pairs])
            name = f"{_title(what)}, baseline: {words}, layer {BASELINE}"
            yield clustered_row(name, hits, [city for city, _ in pairs], None)


def _title(what: str) -> str:
    return f"swap of {what.lower()}, held-out cities"


def said(
    subject: LanguageSubject,
    prompts: Sequence[Sequence[int]],
    wanted: Sequence[Sequence[int]],
    positions: Sequence[int] = (),
    changes: Sequence[Change] = (),
) -> list[bool]:
    """Of prompts, whether the most likely continuation is the wanted one, whole, under what is added at a position of each."""
    found = [False] * len(prompts)
    for some in _apart(prompts):
        tree = TokenTree.of([[*prompts[i], *wanted[i]] for i in some])
        ends = [path[len(prompts[i]) - 1 : -1] for i, path in zip(some, tree.paths, strict=True)]
        places = [path[positions[i]] for i, path in zip(some, tree.paths, strict=True)] if changes else []
        layout = Layout(torch.arange(len(tree.ids))[None], torch.tensor([len(tree.ids)]))
        edits = _edits(len(tree.ids), places, [changes[i] for i in some]) if changes else []
        with subject._ready(layout, {}, edits, stop=False):
            best = tree_logits(subject, tree, [node for path in ends for node in path]).argmax(-1).tolist()
        for i in some:
            told, best = best[: len(wanted[i])], best[len(wanted[i]) :]
            found[i] = told == list(wanted[i])
    return found


def _apart(prompts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Prompts in batches without repeats, because equal prompts would share their edits in a tree."""
    left = list(range(len(prompts)))
    while left:
        seen: set[tuple[int, ...]] = set()
        some = [i for i in left if tuple(prompts[i]) not in seen and not seen.add(tuple(prompts[i]))]  # type: ignore[func-returns-value]
        yield some
        left = [i for i in left if i not in set(some)]


def _edits(nodes: int, places: Sequence[int], changes: Sequence[Change]) -> list[Edit]:
    """One edit a site for a whole tree."""
    at = torch.zeros(1, nodes, dtype=torch.bool)
    at[0, list(places)] = True
    edits = []
    for site in sorted({site for change in changes for site in change}, key=str):
        value = torch.zeros(1, nodes, next(change[site] for change in changes if site in change).shape[0])
        for place, change in zip(places, changes, strict=True):
            if site in change:
                value[0, place] = change[site]
        edits.append(Edit.add(site, value, at=at))
    return edits


if __name__ == "__main__":
    main(sys.argv[1:])
