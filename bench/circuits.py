"""Circuits on SmolLM2 and on phantoms: exactness, speed, memory, edits predicted, stories told.

python -m bench.circuits [CASE ...]     writes docs/circuits.json; the cases are tiny, graph, edits, stories, memory, long

Swaps are in bench/circuit_swaps.py, circuit-tracer in bench/circuit_peer.py, the essay's case in bench/essay.py.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.run import complete, print_row
from brainscan.circuits.attribute import Traced, trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Settings, Story, Validation
from brainscan.circuits.supernodes import with_supernodes
from brainscan.circuits.targets import chosen_tokens, one_token
from brainscan.circuits.validate import Trial, validate
from brainscan.core.statistics import cluster_rate_interval, rate_interval
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject
from brainscan.subject.phantom import FAMILIES, phantom

RESULTS = Path(__file__).parents[1] / "docs" / "circuits.json"
MODEL = "smollm2-135m-instruct"
PROMPT = "City: Lyon. Language: French\nCity: Munich. Language: German\nCity: Barcelona. Language:"
STORIES = {"Barcelona": " Spanish", "Osaka": " Japanese", "Warsaw": " Polish", "Cairo": " Arabic"}
"""Cities of the two-hop prompts that stories are told of, with their answers."""
BY_GRAPH = "predicted by the graph"
BY_DERIVATIVE = "predicted by the model's own derivative (a check of the code)"
KEPT = (1000, 2000, 4000)
"""Node budgets at which memory is measured."""


def main(names: list[str]) -> None:
    """Run cases and merge their rows into docs/circuits.json."""
    if names[:1] == ["peak"]:
        print(_peak(int(names[1])))
        return
    cases = {"tiny": tiny, "graph": graph, "edits": edits, "stories": stories, "memory": memory, "long": long}
    for name in names or cases:
        write_rows(cases[name](), f"python -m bench.circuits {name}")


def tiny() -> Iterator[dict[str, Any]]:
    """Small edits of single neurons in every family: the least r of each prediction.

    The model's own derivative predicts a small edit whatever the graph says, so that row checks the code and not the graph.
    The target is the graph's, with attention held and norms free to answer; beside it stands what it comes to in its own
    world, where norms are held too.
    """
    trials = {
        BY_GRAPH: Trial(nodes=50, edges=0, controls=0, factor=0.98),
        f"{BY_GRAPH}, norms held too": Trial(nodes=50, edges=0, controls=0, factor=0.98, hold="scales"),
        BY_DERIVATIVE: Trial(nodes=50, edges=0, controls=0, factor=0.98, predict="gradient"),
    }
    least = dict.fromkeys(trials, 1.0)
    for family in FAMILIES:
        subject = phantom(family)
        traced = trace(subject, subject.tokens("Hello there you"), Neurons(), Settings(nodes=100))
        drawn = build_graph(traced, "")
        for words, trial in trials.items():
            checked = validate(traced, drawn, trial).validation
            least[words] = min(least[words], checked.nodes_r or 0.0) if checked else 0.0
    for words, r in least.items():
        row = row_of(f"neurons a fiftieth off, {words}, tiny models", r, "r", 0.99 if words == BY_GRAPH else None)
        yield {**row, "n": len(FAMILIES)}


def graph() -> Iterator[dict[str, Any]]:
    """One graph of SmolLM2: seconds and scores."""
    subject = load_subject(MODEL)
    start = time.perf_counter()
    traced = _explained(subject, PROMPT, " Spanish", Settings())
    drawn = build_graph(traced, PROMPT)
    yield row_of("one graph, 25 tokens, 2,000 neurons", time.perf_counter() - start, "s", 30, better="lower")
    yield row_of("replacement score, neurons", drawn.scores.replacement, "share", None)
    yield row_of("completeness score, neurons", drawn.scores.completeness, "share", None)


def edits() -> Iterator[dict[str, Any]]:
    """The same graph: what it says of its top 50 neurons and edges, against edits of the running model; see ``tiny``."""
    traced = _explained(load_subject(MODEL), PROMPT, " Spanish", Settings())
    drawn = build_graph(traced, PROMPT)
    for words, factor, target in (("a tenth off", 0.9, 0.9), ("ablated", 0.0, None)):
        checked = validate(traced, drawn, Trial(nodes=50, edges=50, controls=1, factor=factor)).validation
        yield _r_row(f"top 50 neurons {words}, {BY_GRAPH}", checked, target)
        yield _r_row(f"top 50 edges, their sources {words}, {BY_GRAPH}", checked, None, edges=True)
    for words, more in (
        (f"{BY_GRAPH}, norms held too", Trial(nodes=50, edges=0, controls=1, factor=0.9, hold="scales")),
        (BY_DERIVATIVE, Trial(nodes=50, edges=0, controls=1, factor=0.9, predict="gradient")),
    ):
        yield _r_row(f"top 50 neurons a tenth off, {words}", validate(traced, drawn, more).validation, None)


def _r_row(name: str, checked: Validation | None, target: float | None, *, edges: bool = False) -> dict[str, Any]:
    assert checked is not None
    r, n = (checked.edges_r, checked.edges) if edges else (checked.nodes_r, checked.nodes)
    return {**row_of(name, r or 0.0, "r", target), "n": n}


def stories() -> Iterator[dict[str, Any]]:
    """The automatic story of some two-hop prompts, against random groups."""
    subject = load_subject(MODEL)
    told = [_story(subject, city, answer) for city, answer in STORIES.items()]
    peer = {"name": "the same nodes grouped at random", "value": round(float(np.mean([s.random for s in told])), 4)}
    least = row_of(
        "influence that the automatic story tells, which stops at half of it, least of the prompts",
        min(s.explained for s in told),
        "share",
        None,
    )
    yield {**least, "n": len(told), "peer": peer}


def _story(subject: LanguageSubject, city: str, answer: str) -> Story:
    prompt = PROMPT.replace("Barcelona", city)
    traced = _explained(subject, prompt, answer, Settings())
    story = with_supernodes(traced, build_graph(traced, prompt)).story
    assert story is not None
    print(f"{story.explained:.2f} (at random {story.random:.2f}): {story.line}", flush=True)
    return story


def memory() -> Iterator[dict[str, Any]]:
    """How peak memory grows when the node budget doubles: 1 is linear, 2 is with the square."""
    peaks = [_measured_peak(nodes) for nodes in KEPT]
    growth = (peaks[2] - peaks[1]) / (2 * (peaks[1] - peaks[0]))
    yield row_of("growth of memory with nodes kept (1 is linear, 2 is the square)", growth, "x", 1.2, better="lower")


def _measured_peak(nodes: int) -> float:
    command = [sys.executable, "-m", "bench.circuits", "peak", str(nodes)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _peak(nodes: int) -> float:
    """Peak memory of this process after a trace of a phantom, in MB."""
    subject = phantom("llama")
    trace(subject, subject.tokens("abcdefgh " * 35)[:300], Neurons(), Settings(nodes=nodes))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def long() -> Iterator[dict[str, Any]]:
    """Peak memory of a trace of 1,000 tokens, in this process from its start."""
    subject = load_subject(MODEL)
    text = (PROMPT + " Spanish\n") * 60
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    trace(subject, subject.tokens(text)[:1000], Neurons(), Settings(nodes=24))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield row_of(
        "memory of a trace of 1,000 tokens, over the loaded model", (peak - before) / 1e6, "GB", 6, better="lower"
    )


def _explained(subject: LanguageSubject, prompt: str, answer: str, settings: Settings) -> Traced:
    token, ids = one_token(subject, answer), subject.tokens(prompt)
    return trace(subject, ids, Neurons(), settings, lambda s, logits, at: chosen_tokens(s, logits, at, [token]))


def row_of(name: str, value: float, unit: str, target: float | None, better: str = "higher") -> dict[str, Any]:
    """A row, still without command and machine."""
    return {"name": name, "value": float(f"{float(value):.4g}"), "unit": unit, "target": target, "better": better}


def rate_row(name: str, hits: int, n: int, target: float | None, better: str = "higher") -> dict[str, Any]:
    """A row of a rate, with its n and interval."""
    bounds = rate_interval(hits, n)
    row = row_of(name, hits / max(n, 1), "rate", target, better)
    return {**row, "n": n, "interval": [round(bounds.lo, 4), round(bounds.hi, 4)]}


def clustered_row(
    name: str, hits: Sequence[bool], clusters: Sequence[str], target: float | None, better: str = "higher"
) -> dict[str, Any]:
    """A row of a rate over items that share a cluster (pairs of one city), with the interval that their clusters allow."""
    found = cluster_rate_interval(hits, clusters)
    row = row_of(name, sum(hits) / max(len(hits), 1), "rate", target, better)
    return {**row, "n": len(hits), "clusters": len(set(clusters)), "interval": [round(found.lo, 4), round(found.hi, 4)]}


def write_rows(rows: Iterator[dict[str, Any]], command: str) -> None:
    """Print rows and merge each into docs/circuits.json as it comes."""
    for row in rows:
        whole = complete(row, command)
        kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
        kept = [other for other in kept if other["name"] != whole["name"]] + [whole]
        print_row(whole)
        RESULTS.write_text(json.dumps(sorted(kept, key=lambda r: r["name"]), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
