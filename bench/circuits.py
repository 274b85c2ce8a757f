"""Circuits on SmolLM2 and on phantoms: exactness, speed, memory, edits predicted, concepts swapped, stories told.

python -m bench.circuits [CASE ...]     writes docs/circuits.json; the cases are tiny, graph, long, swap
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice, permutations
from pathlib import Path
from typing import Any

from bench.run import complete, print_row
from brainscan.activations.capture import capture
from brainscan.circuits.attribute import Traced, trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Settings
from brainscan.circuits.supernodes import with_supernodes
from brainscan.circuits.swap import Place, make_transplant, next_probabilities
from brainscan.circuits.targets import chosen_tokens, one_token
from brainscan.circuits.validate import Trial, validate
from brainscan.clinic.circuit import place_in
from brainscan.core.statistics import rate_interval
from brainscan.subject.edit import Edit
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject
from brainscan.subject.phantom import FAMILIES, phantom

RESULTS = Path(__file__).parents[1] / "docs" / "circuits.json"
MODEL = "smollm2-135m-instruct"
PROMPT = "City: Lyon. Language: French\nCity: Munich. Language: German\nCity: Barcelona. Language:"
CITIES: dict[str, dict[str, str]] = {
    "Madrid": {"Country": " Spain", "Language": " Spanish", "Continent": " Europe"},
    "Hamburg": {"Country": " Germany", "Language": " German", "Continent": " Europe"},
    "Marseille": {"Country": " France", "Language": " French", "Continent": " Europe"},
    "Milan": {"Country": " Italy", "Language": " Italian", "Continent": " Europe"},
    "Osaka": {"Country": " Japan", "Language": " Japanese", "Continent": " Asia"},
    "Shanghai": {"Country": " China", "Language": " Chinese", "Continent": " Asia"},
    "Moscow": {"Country": " Russia", "Language": " Russian", "Continent": " Europe"},
    "Seoul": {"Country": " Korea", "Language": " Korean", "Continent": " Asia"},
    "Istanbul": {"Country": " Turkey", "Language": " Turkish", "Continent": " Europe"},
    "Cairo": {"Country": " Egypt", "Language": " Arabic", "Continent": " Africa"},
    "Lisbon": {"Country": " Portugal", "Language": " Portuguese", "Continent": " Europe"},
    "Athens": {"Country": " Greece", "Language": " Greek", "Continent": " Europe"},
}
SHOTS = {"Country": (" France", " Germany"), "Language": (" French", " German"), "Continent": (" Europe", " Asia")}
SHOT_CITIES = {"Country": ("Lyon", "Munich"), "Language": ("Lyon", "Munich"), "Continent": ("Lyon", "Tokyo")}
LAYERS = range(12, 21)
DOSES = (1.0, 2.0, 3.0)


def main(names: list[str]) -> None:
    """Run cases and merge their rows into docs/circuits.json."""
    cases = {"tiny": tiny, "graph": graph, "long": long, "swap": swaps}
    kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
    for name in names or cases:
        for row in cases[name]():
            whole = complete(row, f"python -m bench.circuits {name}")
            kept = [other for other in kept if other["name"] != whole["name"]] + [whole]
            print_row(whole)
            RESULTS.write_text(json.dumps(sorted(kept, key=lambda r: r["name"]), indent=1) + "\n")


def tiny() -> Iterator[dict[str, Any]]:
    """Small edits of single neurons under held attention, in every family: the least r."""
    least = 1.0
    for family in FAMILIES:
        subject = phantom(family)
        traced = trace(subject, subject.tokens("Hello there you"), Neurons(), Settings(nodes=100))
        trial = Trial(nodes=50, edges=0, controls=0, factor=0.98, predict="gradient")
        checked = validate(traced, build_graph(traced, ""), trial).validation
        least = min(least, checked.nodes_r or 0.0) if checked else 0.0
    yield _row("predicted against measured edits, tiny models", least, "r", 0.99)


def graph() -> Iterator[dict[str, Any]]:
    """One graph of SmolLM2: seconds, scores, edits of its top 50 nodes, and its story."""
    subject = load_subject(MODEL)
    start = time.perf_counter()
    traced = _spanish(subject)
    drawn = build_graph(traced, PROMPT)
    yield _row("one graph, 25 tokens, 2,000 neurons", time.perf_counter() - start, "s", 30, better="lower")
    yield _row("replacement score, neurons", drawn.scores.replacement, "share", None)
    yield _row("completeness score, neurons", drawn.scores.completeness, "share", None)
    for name, trial in (
        ("ablated", Trial(nodes=50, edges=50, factor=0.0)),
        ("a tenth off", Trial(nodes=50, edges=50, factor=0.9, predict="gradient")),
    ):
        checked = validate(traced, drawn, trial).validation
        if checked is not None:
            yield _row(f"predicted against measured, top 50 neurons {name}", checked.nodes_r or 0.0, "r", 0.9)
            yield _row(f"predicted against measured, top 50 edges {name}", checked.edges_r or 0.0, "r", None)
    story = with_supernodes(traced, drawn).story
    if story is not None:
        peer = {"name": "as many nodes at random", "value": round(story.random, 4)}
        yield {**_row("influence that the automatic story explains", story.explained, "share", 0.5), "peer": peer}


def long() -> Iterator[dict[str, Any]]:
    """Peak memory of a trace of 1,000 tokens, in this process from its start."""
    subject = load_subject(MODEL)
    text = (PROMPT + " Spanish\n") * 60
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    trace(subject, subject.tokens(text)[:1000], Neurons(), Settings(nodes=100))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield _row("memory of a trace of 1,000 tokens, 100 neurons", (peak - before) / 1e6, "GB", 6, better="lower")


def swaps(pairs: int = 110) -> Iterator[dict[str, Any]]:
    """Country neurons made in ``Country:`` prompts, put into ``Language:`` and ``Continent:`` prompts."""
    subject = load_subject(MODEL)
    known = [city for city in CITIES if all(_right(subject, city, what) for what in SHOTS)]
    for what in ("Language", "Continent"):
        chosen = [(a, b) for a, b in permutations(known, 2) if CITIES[a][what] != CITIES[b][what]]
        found = [_swapped(subject, a, b, what) for a, b in islice(chosen, pairs)]
        n = len(found)
        for name in found[0] if found else ():
            hits = sum(each[name] for each in found)
            target = {"Language": 0.85, "Continent": 0.6}[what] if name.startswith("nodes") else None
            bounds = rate_interval(hits, n)
            yield {
                **_row(f"swap of {what.lower()}, {name}", hits / max(n, 1), "rate", target),
                "n": n,
                "interval": [round(bounds.lo, 4), round(bounds.hi, 4)],
            }


def _swapped(subject: LanguageSubject, old: str, new: str, what: str) -> dict[str, bool]:
    source, other = _place(subject, old, "Country"), _place(subject, new, "Country")
    transplant = make_transplant(subject, source, other, Neurons(), nodes=100)
    target = _place(subject, old, what)
    wanted = one_token(subject, CITIES[new][what])
    out: dict[str, bool] = {}
    for dose in DOSES:
        for name, control in (("nodes", False), ("random nodes", True)):
            edits = transplant.edits(target.position, dose, control=control)
            out[f"{name} x {dose:g}"] = int(next_probabilities(subject, target.ids, edits).argmax()) == wanted
    sites = [f"resid_post.{layer}" for layer in LAYERS]
    streams = [capture(subject, [place.ids], sites) for place in (source, other)]
    edits = [
        Edit.set(site, streams[1][site].rows[0][other.position], at=target.position) for site in streams[0]
    ]  # the difference of two single cities, added to the one, is the other's stream
    out["the other city's stream, layers 12 to 20"] = (
        int(next_probabilities(subject, target.ids, edits).argmax()) == wanted
    )
    return out


def _prompt(city: str, what: str) -> str:
    shots = zip(SHOT_CITIES[what], SHOTS[what], strict=True)
    return "".join(f"City: {shot}. {what}:{answer}\n" for shot, answer in shots) + f"City: {city}. {what}:"


def _place(subject: LanguageSubject, city: str, what: str) -> Place:
    return place_in(subject, _prompt(city, what), city, one_token(subject, CITIES[city][what]))


def _right(subject: LanguageSubject, city: str, what: str) -> bool:
    place = _place(subject, city, what)
    return int(next_probabilities(subject, place.ids, []).argmax()) == place.answer


def _spanish(subject: LanguageSubject) -> Traced:
    token = one_token(subject, " Spanish")
    ids = subject.tokens(PROMPT)
    return trace(subject, ids, Neurons(), Settings(), lambda s, logits, at: chosen_tokens(s, logits, at, [token]))


def _row(name: str, value: float, unit: str, target: float | None, better: str = "higher") -> dict[str, Any]:
    return {"name": name, "value": round(float(value), 4), "unit": unit, "target": target, "better": better}


if __name__ == "__main__":
    main(sys.argv[1:])
