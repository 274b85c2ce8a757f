"""circuit-tracer on the same weights and transcoders: every edge, the pruned node set, the scores, and the time.

python -m bench.circuit_peer [tiny|real ...]     writes rows to docs/circuits.json; needs CIRCUIT_TRACER (see peers/)
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
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
from brainscan.circuits.graph import Graph, Settings
from brainscan.circuits.prune import prune
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.formats.circuit_tracer import CircuitTracer
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject
from brainscan.subject.phantom import phantom

SHAPES = ("llama", "gemma2", "gpt2")
TEXT = "Hello you there"
BATCH = 62
"""Rows of one of its passes: under a budget it then ranks as often as brainscan does."""
PEER = "circuit-tracer 0.4.1"


def main(names: list[str]) -> None:
    """Run cases and merge their rows into docs/circuits.json."""
    for name in names or ("tiny", "real"):
        write_rows({"tiny": tiny, "real": real}[name](), f"python -m bench.circuit_peer {name}")


def tiny() -> Iterator[dict[str, Any]]:
    """Every edge and the pruned set of three shapes, whole and under a node budget."""
    asked = [
        Question(phantom(shape), 96, 0.4, [1, *phantom(shape).tokens(TEXT)], nodes, batch, 1)
        for shape in SHAPES for nodes, batch in ((None, 64), (64, 8))
    ]  # fmt: skip
    found = compare(asked)
    print(*found, sep="\n")
    n = len(found)
    gap, scores = max(each.gap for each in found), max(each.scores for each in found)
    yield {**row_of("edges against circuit-tracer's, tiny models, largest gap", gap, "share", 1e-4, "lower"), "n": n}
    same = float(np.mean([each.same for each in found]))
    yield {**row_of("pruned node sets equal to circuit-tracer's, tiny models", same, "share", 1.0), "n": n}
    yield {
        **row_of("scores against circuit-tracer's, tiny models, largest gap", scores, "share", 1e-4, "lower"),
        "n": n,
    }


def real() -> Iterator[dict[str, Any]]:
    """SmolLM2 with random transcoders: edges, and seconds with every active feature a node on both sides."""
    subject = load_subject(MODEL)
    ids = [1, *subject.tokens(PROMPT)][:25]
    found = compare([Question(subject, 2048, 0.85, ids, None, BATCH, 1)])[0]
    print(found)
    yield row_of("edges against circuit-tracer's, SmolLM2, largest gap", found.gap, "share", 1e-4, "lower")
    yield row_of("pruned node sets equal to circuit-tracer's, SmolLM2", float(found.same), "share", 1.0)
    faster = row_of(
        f"graph of all {found.features:,} active features, times faster than circuit-tracer",
        found.theirs / found.ours,
        "x",
        3.0,
    )
    yield {**faster, "peer": {"name": f"{PEER}, batches of {BATCH}, seconds", "value": round(found.theirs, 2)}}


@dataclass(frozen=True)
class Question:
    """One graph to make twice: a subject with random transcoders, a prompt, and how circuit-tracer batches."""

    subject: LanguageSubject
    features: int
    threshold: float
    ids: list[int]
    nodes: int | None
    batch: int
    interval: int


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


def compare(questions: Sequence[Question]) -> list[Compared]:
    """Trace each once here and once there."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(i) for i in range(len(questions))]
        made = [_ours(question, folder) for question, folder in zip(questions, folders, strict=True)]
        asked = [
            {
                "model": str(folder / "model"), "transcoders": str(folder / "transcoders"), "ids": question.ids,
                "nodes": question.nodes, "batch": question.batch, "interval": question.interval,
                "out": str(folder / "graph.npz"), "read": str(folder / "exchange" / "ours.json"),
            }
            for question, folder in zip(questions, folders, strict=True)
        ]  # fmt: skip
        answers = ask("circuit_tracer", "circuit_tracer_graph.py", graphs=asked)["graphs"]
        return [_compared(*each) for each in zip(made, answers, folders, strict=True)]


def _ours(question: Question, folder: Path) -> tuple[Traced, Graph, float]:
    _save(question.subject, folder / "model")
    CircuitTracer().write(_random(question.subject, question.features, question.threshold), folder / "transcoders")
    basis = Features(CircuitTracer().read(folder / "transcoders"))
    settings = Settings(basis="features", nodes=question.nodes or 100_000, lump_rest=False)
    start = time.perf_counter()
    traced = trace(question.subject, question.ids, basis, settings)
    seconds = time.perf_counter() - start
    graph = build_graph(traced, "")
    write_exchange(folder / "exchange", graph, "ours")
    return traced, graph, seconds


def _save(subject: LanguageSubject, folder: Path) -> None:
    """The model as older transformers read it too: they look for the rotary base elsewhere."""
    subject.model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {k: v for k, v in (config.get("rope_parameters") or {}).items() if k == "rope_theta"}
    (folder / "config.json").write_text(json.dumps(config))


def _compared(made: tuple[Traced, Graph, float], answer: dict[str, Any], folder: Path) -> Compared:
    traced, graph, ours = made
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
