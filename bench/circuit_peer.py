"""circuit-tracer on the same weights and transcoders: every edge, the pruned node set, the scores, and the time.

python -m bench.circuit_peer [tiny|real ...]     writes rows to docs/circuits.json; needs CIRCUIT_TRACER (see peers/)
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.circuits import MODEL, PROMPT, row_of, write_rows
from bench.peers import ask
from brainscan.circuits.attribute import Traced, trace
from brainscan.circuits.basis import Features
from brainscan.circuits.build import as_weighted, build_graph
from brainscan.circuits.exchange import write_exchange
from brainscan.circuits.graph import Settings
from brainscan.circuits.prune import prune
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.formats.circuit_tracer import CircuitTracer
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject
from brainscan.subject.phantom import phantom

SHAPES = ("llama", "gemma2", "gpt2")
TEXT = "Hello you there"
NODES, BATCHES = 1000, ((125, 1), (64, 4))
"""Features, and rows of a pass with passes between rankings: the first ranks as often as brainscan does, so both pick the
same nodes; the faster one is what circuit-tracer's speed is."""
PEER = "circuit-tracer 0.4.1"


def main(names: list[str]) -> None:
    """Run cases and merge their rows into docs/circuits.json."""
    for name in names or ("tiny", "real"):
        write_rows({"tiny": tiny, "real": real}[name](), f"python -m bench.circuit_peer {name}")


def tiny() -> Iterator[dict[str, Any]]:
    """Every edge and the pruned set of three shapes, whole and under a node budget."""
    gaps, same, scores = [], [], []
    for shape in SHAPES:
        subject = phantom(shape)
        for nodes, batch in ((None, 64), (64, 8)):
            compared = compare(subject, _random(subject, 96, 0.4), [1, *subject.tokens(TEXT)], nodes, batch, 1)
            print(f"{shape:<8} {compared}")
            gaps.append(compared.gap)
            same.append(compared.same)
            scores.append(compared.scores)
    yield {
        **row_of("edges against circuit-tracer's, tiny models, largest gap", max(gaps), "share", 1e-4, "lower"),
        "n": len(gaps),
    }
    yield {
        **row_of("pruned node sets equal to circuit-tracer's, tiny models", float(np.mean(same)), "share", 1.0),
        "n": len(same),
    }
    yield {
        **row_of("scores against circuit-tracer's, tiny models, largest gap", max(scores), "share", 1e-4, "lower"),
        "n": len(scores),
    }


def real() -> Iterator[dict[str, Any]]:
    """SmolLM2 with random transcoders: edges, and seconds at equal nodes."""
    subject = load_subject(MODEL)
    transcoders = _random(subject, 2048, 1.5)
    ids = [1, *subject.tokens(PROMPT)][:25]
    found = [compare(subject, transcoders, ids, NODES, *batch) for batch in BATCHES]
    print(*found, sep="\n")
    fastest = min(found, key=lambda each: each.theirs)
    peer = {"name": PEER, "value": round(fastest.theirs, 2), "unit": "s"}
    yield row_of("edges against circuit-tracer's, SmolLM2, largest gap", found[0].gap, "share", 1e-4, "lower")
    yield row_of("pruned node sets equal to circuit-tracer's, SmolLM2", float(found[0].same), "share", 1.0)
    yield {
        **row_of(
            f"graph of {NODES:,} features, times faster than circuit-tracer",
            fastest.theirs / min(each.ours for each in found),
            "x",
            3.0,
        ),
        "peer": peer,
    }


@dataclass(frozen=True)
class Compared:
    """One graph, twice."""

    gap: float
    """Largest difference of an edge, as a share of the largest edge."""
    same: bool
    """Same pruned nodes."""
    scores: float
    """Larger difference of the two scores."""
    ours: float
    theirs: float
    """Seconds of attribution."""
    features: int
    logit_gap: float


def compare(
    subject: LanguageSubject, transcoders: DictionarySet, ids: list[int], nodes: int | None, batch: int, interval: int
) -> Compared:
    """Trace once here and once there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subject.model.save_pretrained(folder / "model")
        CircuitTracer().write(transcoders, folder / "transcoders")
        settings = Settings(basis="features", nodes=nodes or 100_000, lump_rest=False)
        start = time.perf_counter()
        traced = trace(subject, ids, Features(CircuitTracer().read(folder / "transcoders")), settings)
        ours = time.perf_counter() - start
        graph = build_graph(traced, "")
        write_exchange(folder / "exchange", graph, "ours")
        answer = ask(
            "circuit_tracer", "circuit_tracer_graph.py", model=str(folder / "model"),
            transcoders=str(folder / "transcoders"), ids=ids, nodes=nodes, batch=batch,
            interval=interval, out=str(folder / "graph.npz"),
            read=str(folder / "exchange" / "ours.json"),
        )  # fmt: skip
        with np.load(folder / "graph.npz") as theirs:
            gap, same = _against(traced, dict(theirs))
    scores = max(
        abs(graph.scores.replacement - answer["replacement"]), abs(graph.scores.completeness - answer["completeness"])
    )
    return Compared(gap, same, scores, ours, answer["seconds"], answer["nodes"], answer["logit_gap"])


def _against(traced: Traced, theirs: dict[str, Any]) -> tuple[float, bool]:
    """Largest edge gap, and whether the pruned sets agree; nodes picked by one alone count as a gap of 1."""
    found, n = traced.candidates, len(traced.picked)
    mine = list(zip(*(x[traced.picked].tolist() for x in (found.layer, found.position, found.index)), strict=True))
    other = [tuple(row) for row in theirs["active"][theirs["selected"]].tolist()]
    if sorted(mine) != sorted(other):
        return 1.0, False
    place = {node: i for i, node in enumerate(other)}
    columns = np.array([place[node] for node in mine] + list(range(n, traced.rows.shape[1])))
    rows = np.concatenate(
        [columns[:n], np.arange(len(theirs["adjacency"]) - len(traced.outcome.targets), len(theirs["adjacency"]))]
    )
    matrix = theirs["adjacency"][np.ix_(rows, columns)]
    gap = float(np.abs(matrix - traced.rows.numpy()).max() / np.abs(matrix).max())
    kept = prune(as_weighted(traced)).columns
    return gap, bool((theirs["nodes"][columns] == kept).all())


def _random(subject: LanguageSubject, features: int, threshold: float) -> DictionarySet:
    """Seeded random JumpReLU transcoders from ``mlp_in`` to ``mlp_out``, one a layer."""
    generator = torch.Generator().manual_seed(0)
    width = subject.d_model

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    parts = tuple(
        Dictionary(
            kind="transcoder", activation="jumprelu", W_enc=drawn(width, features) / width**0.5,
            W_dec=drawn(features, width) / width**0.5, b_enc=0.1 * drawn(features), b_dec=0.1 * drawn(width),
            threshold=torch.full((features,), threshold), reads=(f"mlp_in.{i}",), writes=(f"mlp_out.{i}",),
        )
        for i in range(subject.n_layers)
    )  # fmt: skip
    return DictionarySet("transcoder", parts, {})


if __name__ == "__main__":
    main(sys.argv[1:])
