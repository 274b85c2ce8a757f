"""Countries swapped inside SmolLM2: nodes read in ``Country:`` prompts of some cities, put into other cities' prompts.

python -m bench.circuit_swaps [develop|report ...]

``develop`` tries doses on the cities that countries are read from, each left out of its own country's reading; the dose
that is best there is ``DOSE``. ``report`` writes docs/circuits.json: its cities were used for nothing else.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from bench.circuits import MODEL, rate_row, row_of, write_rows
from brainscan.activations.capture import capture
from brainscan.circuits.basis import Neurons
from brainscan.circuits.swap import MOST_NODES, Concept, Place, make_transplant, mean_concept, read_concept
from brainscan.circuits.targets import one_token
from brainscan.clinic.circuit import place_in
from brainscan.core.address import Site
from brainscan.subject.edit import Edit
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject

DOSE = 3.0
BASELINE = range(12, 21)
"""Layers at which the mean-difference vector works best, from the issue; it is tried at each and its best one counts."""
PAIRS = 120
ROWS = 20
SHOTS = {
    "Country": (("Lyon", "France"), ("Munich", "Germany")),
    "Language": (("Lyon", "French"), ("Munich", "German")),
    "Continent": (("Lyon", "Europe"), ("Delhi", "Asia")),
}
Change = tuple[int, Mapping[Site, torch.Tensor]]
"""A position of a prompt, and what is added there, site by site."""


@dataclass(frozen=True)
class Country:
    """One country: what is asked about it, the cities that it is read from, and cities held out."""

    language: str
    continent: str | None
    """None where SmolLM2 itself does not know it."""
    read: tuple[str, str, str]
    held: tuple[str, ...]

    def said(self, what: str) -> str | None:
        """The right answer's first word."""
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
    "Hungary": Country("Hungarian", "Europe", ("Budapest", "Debrecen", "Szeged"), ("Miskolc", "Gyor")),
    "Japan": Country("Japanese", "Asia", ("Osaka", "Kyoto", "Nagoya"), ("Sapporo", "Fukuoka", "Hiroshima")),
    "China": Country("Chinese", "Asia", ("Shanghai", "Beijing", "Guangzhou"), ("Shenzhen", "Wuhan", "Chengdu")),
    "Thailand": Country("Thai", "Asia", ("Bangkok", "Phuket", "Pattaya"), ("Sukhothai", "Ayutthaya")),
    "Turkey": Country("Turkish", None, ("Istanbul", "Ankara", "Izmir"), ("Bursa", "Antalya")),
    "Iran": Country("Persian", None, ("Tehran", "Isfahan", "Shiraz"), ("Tabriz",)),
    "Egypt": Country("Arabic", "Africa", ("Cairo", "Alexandria", "Giza"), ("Aswan", "Luxor", "Suez")),
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
    """One subject, with every country read once."""

    def __init__(self, subject: LanguageSubject) -> None:
        self.subject = subject
        self.home = {city: name for name, c in COUNTRIES.items() for city in (*c.read, *c.held)}
        self.countries = [one_token(subject, f" {name}") for name in COUNTRIES]

    @cached_property
    def read(self) -> dict[str, Concept]:
        """City -> its country as it stands at the city in a ``Country:`` prompt."""
        cities = [city for country in COUNTRIES.values() for city in country.read]
        return {
            city: read_concept(self.subject, self.place(city, "Country"), Neurons(), self.countries) for city in cities
        }

    @cached_property
    def streams(self) -> dict[str, dict[Site, torch.Tensor]]:
        """City -> the stream [d] at the city in a ``Country:`` prompt, for the baseline."""
        places = {city: self.place(city, "Country") for city in self.read}
        rows = capture(self.subject, [place.ids for place in places.values()], [f"resid_post.{i}" for i in BASELINE])
        return {
            city: {site: found.rows[i][place.position] for site, found in rows.items()}
            for i, (city, place) in enumerate(places.items())
        }

    def place(self, city: str, what: str) -> Place:
        """A city in a prompt of three shots."""
        shots = "".join(f"City: {shot}. {what}: {answer}\n" for shot, answer in SHOTS[what])
        prompt = f"{shots}City: {city}. {what}:"
        return place_in(self.subject, prompt, city, one_token(self.subject, f" {self.home[city]}"))

    def nodes(
        self, city: str, new: str, dose: float, *, control: bool = False, seed: int = 0
    ) -> Mapping[Site, torch.Tensor]:
        """What turns a city's country into another; a city is left out of its own country's reading."""
        old = mean_concept([self.read[c] for c in COUNTRIES[self.home[city]].read if c != city])
        transplant = make_transplant(
            old, mean_concept([self.read[c] for c in COUNTRIES[new].read]), nodes=MOST_NODES, seed=seed
        )
        vectors = transplant.random if control else transplant.vectors
        return {Site("mlp_out", layer): dose * vector for layer, vector in vectors.items()}

    def difference(self, city: str, new: str, layer: int) -> Mapping[Site, torch.Tensor]:
        """The baseline: mean of the new country's streams less that of the old one's, at one layer."""
        site = Site("resid_post", layer)
        sides = [
            torch.stack([self.streams[c][site] for c in COUNTRIES[name].read if c != city]).mean(0)
            for name in (new, self.home[city])
        ]
        return {site: sides[0] - sides[1]}

    def hits(self, pairs: Sequence[tuple[str, str]], what: str, changes: Sequence[Mapping[Site, torch.Tensor]]) -> int:
        """Of pairs (city, new country), those whose most likely answer is the new country's."""
        places = [self.place(city, what) for city, _ in pairs]
        wanted = [self.wanted(new, what) for _, new in pairs]
        given = [(place.position, change) for place, change in zip(places, changes, strict=True)]
        return sum(said(self.subject, [place.ids for place in places], [[w] for w in wanted], given))

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
        for dose in (1.0, 2.0, 3.0, 4.0):
            hits = lab.hits(chosen, what, [lab.nodes(*pair, dose) for pair in chosen])
            print(f"{what}: nodes x {dose:g} {hits}/{len(chosen)}", flush=True)


def report(lab: Lab) -> Iterator[dict[str, Any]]:
    """Swaps on held-out cities, their controls and the baseline."""
    held = [city for country in COUNTRIES.values() for city in country.held]
    for what, target in (("Language", 0.85), ("Continent", 0.60)):
        pairs = lab.pairs(held, what, PAIRS)
        n, name = len(pairs), f"swap of {what.lower()}, held-out cities"
        hits = lab.hits(pairs, what, [lab.nodes(*pair, DOSE) for pair in pairs])
        best = max(
            (lab.hits(pairs, what, [lab.difference(*pair, layer) for pair in pairs]), layer) for layer in BASELINE[::4]
        )
        peer = {
            "name": f"mean-difference vector at layer {best[1]}, best of {len(BASELINE[::4])}",
            "value": round(best[0] / n, 4),
        }
        yield {**rate_row(f"{name}, {MOST_NODES} country nodes", hits, n, target), "peer": peer}
        yield rate_row(f"{name}, mean-difference vector", best[0], n, None)
        drawn = [lab.nodes(*pair, DOSE, control=True, seed=i) for i, pair in enumerate(pairs)]
        yield rate_row(f"{name}, random nodes of equal norm", lab.hits(pairs, what, drawn), n, 0.03, "lower")
    yield row_of("nodes of one swap, at most", MOST_NODES, "nodes", 100, "lower")


def said(
    subject: LanguageSubject,
    prompts: Sequence[Sequence[int]],
    wanted: Sequence[Sequence[int]],
    changes: Sequence[Change] = (),
) -> list[bool]:
    """Of prompts, whether the most likely continuation is the wanted one, whole, under what is added to each."""
    found: list[bool] = []
    for start in range(0, len(prompts), ROWS):
        some = range(start, min(start + ROWS, len(prompts)))
        found += _said(
            subject, [prompts[i] for i in some], [wanted[i] for i in some], [changes[i] for i in some if changes]
        )
    return found


def _said(
    subject: LanguageSubject,
    prompts: Sequence[Sequence[int]],
    wanted: Sequence[Sequence[int]],
    changes: Sequence[Change],
) -> list[bool]:
    longest = max(map(len, wanted))
    rows = [[*ids, *answer, *[0] * (longest - len(answer))] for ids, answer in zip(prompts, wanted, strict=True)]
    logits = subject.logits(subject.batch(rows, side="left"), keep=longest + 1, edits=_edits(prompts, changes))
    best = logits[:, :-1].argmax(-1).tolist()
    return [told[: len(answer)] == list(answer) for told, answer in zip(best, wanted, strict=True)]


def _edits(prompts: Sequence[Sequence[int]], changes: Sequence[Change]) -> list[Edit]:
    """One edit a site for a whole batch, nothing added in rows that do not name it."""
    sites = sorted({site for _, change in changes for site in change}, key=str)
    if not sites:
        return []
    at = torch.zeros(len(prompts), max(map(len, prompts)), dtype=torch.bool)
    at[torch.arange(len(prompts)), torch.tensor([position for position, _ in changes])] = True
    still = torch.zeros_like(next(iter(changes[0][1].values())))
    return [Edit.add(site, torch.stack([change.get(site, still) for _, change in changes]), at=at) for site in sites]


if __name__ == "__main__":
    main(sys.argv[1:])
