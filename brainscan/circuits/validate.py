"""Prove a graph by intervention: edit the model for real and hold what happens against what the graph says.

1. take the nodes with the largest influence and the edges with the largest score
2. multiply each source's activation by a factor (0 ablates it) in the running model, attention patterns held
3. measure the change of the outcome (nodes) or of the target alone (edges), and that of random vectors of equal norm
4. write prediction, measurement and control onto the node or edge
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from brainscan.circuits.attribute import Traced
from brainscan.circuits.graph import Edge, EditTest, Graph, Node, Validation
from brainscan.circuits.play import Hold, play
from brainscan.circuits.through import output_gradients
from brainscan.core.address import Site
from brainscan.core.errors import UsageError

LEAST, MOST = 0.5, 2.0
"""A claim holds when measured / predicted lies between the two."""


Predictor = Literal["graph", "gradient"]
HOLDS: dict[str, Hold] = {"patterns": "patterns", "scales": "scales", "nothing": "nothing"}
PREDICTORS: dict[str, Predictor] = {"graph": "graph", "gradient": "gradient"}


@dataclass(frozen=True)
class Trial:
    """What to test, and how."""

    nodes: int = 20
    edges: int = 20
    controls: int = 3
    factor: float = 0.0
    """What activations are multiplied by: 0 ablates."""
    hold: Hold = "patterns"
    """What is held while nodes are tested (``play``)."""
    predict: Predictor = "graph"
    """Nodes: predict by the graph's own linear total effect, or by the gradient of the outcome with patterns held, which
    is what a small edit does (a factor near 1)."""
    seed: int = 0


def validate(
    traced: Traced, graph: Graph, trial: Trial | None = None, progress: Callable[[float, str], None] = lambda f, w: None
) -> Graph:
    """The graph with its main nodes and edges tested; see the phases above.

    Raises:
        UsageError: the graph is not of this trace, or the factor changes nothing or too much.
    """
    trial = trial or Trial()
    if trial.factor == 1.0:
        raise UsageError("A factor of 1 changes nothing.", "Use 0 to ablate, or another factor to clamp.")
    places = node_places(traced)
    if any(node.id not in places for node in graph.inner):
        raise UsageError("The circuit is not of this prompt and model.", "Trace the prompt again.")
    lab = _Lab(traced, places, trial)
    nodes = graph.inner[: trial.nodes]  # 1
    edges = [edge for edge in by_score(graph) if edge.source in places][: trial.edges]
    progress(0.0, f"testing {len(nodes)} nodes")
    node_tests = {node.id: test for node, test in zip(nodes, lab.test_nodes(nodes), strict=True)}
    progress(0.5, f"testing {len(edges)} edges")
    edge_tests = {
        (edge.source, edge.target): test for edge, test in zip(edges, lab.test_edges(edges, graph), strict=True)
    }
    progress(1.0, "tested")
    return graph.model_copy(
        update={
            "nodes": tuple(
                node.model_copy(update={"test": node_tests.get(node.id, node.test)}) for node in graph.nodes
            ),
            "edges": tuple(
                edge.model_copy(update={"test": edge_tests.get((edge.source, edge.target), edge.test)})
                for edge in graph.edges
            ),
            "validation": _summary(list(node_tests.values()), list(edge_tests.values()), trial),
        }
    )


def node_places(traced: Traced) -> dict[str, int]:
    """Node id -> candidate, for the picked neurons or features."""
    found, letter = traced.candidates, traced.candidates.kind[0]
    return {
        f"{letter}{int(found.layer[i])}.{int(found.index[i])}@{int(found.position[i])}": int(i)
        for i in traced.picked.tolist()
    }


def by_score(graph: Graph) -> tuple[Edge, ...]:
    """Edges between neurons or features and on to outcomes, by share of the target times the target's influence."""
    reached = {node.id: node.influence for node in graph.nodes}
    return tuple(sorted(graph.edges, key=lambda edge: (-edge.share * reached[edge.target], edge.source, edge.target)))


def outcome_change(traced: Traced, changes: dict[int, torch.Tensor], hold: Hold) -> torch.Tensor:
    """[rows]: change of the outcome (targets weighted) under each row of changes."""
    sites = sorted({target.site for target in traced.outcome.targets}, key=str)
    base = play(traced.frozen, {0: torch.zeros_like(traced.frozen.outputs[0])[None]}, sites, hold)
    moved = play(traced.frozen, changes, sites, hold)
    some = next(iter(changes.values()))
    total = torch.zeros(len(some), device=some.device)
    for target in traced.outcome.targets:
        difference = moved[target.site][:, target.position] - base[target.site][:, target.position]
        total += target.weight * (difference @ target.vector)
    return total


class _Lab:
    """Runs edits of one trace and compares."""

    def __init__(self, traced: Traced, places: dict[str, int], trial: Trial) -> None:
        self.traced, self.places, self.trial = traced, places, trial
        self.generator = torch.Generator().manual_seed(trial.seed)

    def test_nodes(self, nodes: Sequence[Node]) -> list[EditTest]:
        """Ablate or clamp each node; the outcome is what is measured."""
        if not nodes:
            return []
        ids = [self.places[node.id] for node in nodes]
        measured = outcome_change(self.traced, self._changes(ids), self.trial.hold).reshape(len(ids), -1)
        predicted = self._predicted(ids)
        tests = [self._judge(p, m) for p, m in zip(predicted, measured, strict=True)]
        return [test.model_copy(update={"predicted_by": self.trial.predict}) for test in tests]

    def _predicted(self, ids: list[int]) -> list[float]:
        step, found = self.trial.factor - 1, self.traced.candidates
        if self.trial.predict == "graph":
            return [step * float(found.effect[i]) for i in ids]
        gradients = output_gradients(
            self.traced.frozen, self.traced.outcome, free_scales=self.trial.hold in ("patterns", "nothing")
        )
        total = torch.zeros(len(ids), device=found.position.device)
        for layer, vectors in found.outputs(found.at(ids)).items():
            total += (vectors * gradients[layer][found.position[ids]]).sum(1)
        return (step * total).tolist()

    def test_edges(self, edges: Sequence[Edge], graph: Graph) -> list[EditTest]:
        """Ablate or clamp each source; the target alone is measured, with every other MLP held."""
        tests = []
        for edge in edges:
            changes = self._changes([self.places[edge.source]])
            measured = self._target_change(graph.node(edge.target), changes)
            tests.append(self._judge((self.trial.factor - 1) * edge.weight, measured))
        return tests

    def _changes(self, ids: list[int]) -> dict[int, torch.Tensor]:
        """Layer -> [(1 + controls) * n, pos, d]: each node's edit, followed by its random twins."""
        each, found = 1 + self.trial.controls, self.traced.candidates
        changes = {}
        for layer, vectors in found.outputs(found.at(ids)).items():
            block = torch.zeros(len(ids), each, self.traced.frozen.n, vectors.shape[1], device=vectors.device)
            noise = torch.randn(len(ids), self.trial.controls, vectors.shape[1], generator=self.generator).to(vectors)
            noise *= vectors.norm(dim=1)[:, None, None] / noise.norm(dim=2, keepdim=True)
            at = found.position[ids]
            block[torch.arange(len(ids)), 0, at] = (self.trial.factor - 1) * vectors
            block[torch.arange(len(ids)), 1:, at] = abs(self.trial.factor - 1) * noise
            changes[layer] = block.flatten(0, 1)
        return changes

    def _target_change(self, target: Node, changes: dict[int, torch.Tensor]) -> torch.Tensor:
        frozen, found = self.traced.frozen, self.traced.candidates
        if target.kind == "outcome":
            place = self.traced.outcome.targets[int(target.id[1:])]
            site, position, vector = place.site, place.position, place.vector
        elif target.kind == "neuron":
            moved = play(frozen, changes, [Site("mlp_act", target.layer)], "mlps")[Site("mlp_act", target.layer)]
            activations = moved.reshape(len(moved), frozen.n, -1)[:, target.position, target.index]
            return activations - frozen.acts[target.layer][target.position, target.index]
        else:
            at = found.at([self.places[target.id]])
            site, position, vector = found.reads[target.layer], target.position, found.encode(at)[0]
        moved = play(frozen, changes, [site], "mlps")[site]
        return (moved[:, position] - frozen.tensors[site][0, position].detach()) @ vector

    def _judge(self, predicted: float, measured: torch.Tensor) -> EditTest:
        if not torch.isfinite(measured).all():  # with norms held nothing keeps a large change small
            raise UsageError(
                "An edit, or a random vector of its size, drove the model beyond the numbers that it computes with.",
                "Choose a factor nearer to 1, or let norms answer: --hold patterns.",
            )
        value, control = float(measured[0]), float(measured[1:].abs().max()) if len(measured) > 1 else 0.0
        held: bool | None = predicted != 0 and LEAST <= value / predicted <= MOST and abs(value) > control
        if max(abs(predicted), abs(value)) <= control:
            held = None
        return EditTest(
            what="ablate" if self.trial.factor == 0 else "clamp", predicted=predicted, measured=value, control=control,
            controls=self.trial.controls, held=held,
        )  # fmt: skip


def _summary(nodes: list[EditTest], edges: list[EditTest], trial: Trial) -> Validation:
    return Validation(
        nodes=len(nodes), nodes_held=sum(test.held is True for test in nodes),
        edges=len(edges), edges_held=sum(test.held is True for test in edges),
        nodes_r=correlation(nodes), edges_r=correlation(edges), factor=trial.factor, hold=trial.hold,
    )  # fmt: skip


def correlation(tests: Sequence[EditTest]) -> float | None:
    """Pearson r of predicted and measured, or None where it says nothing (fewer than three, or no spread)."""
    predicted = np.array([test.predicted for test in tests])
    measured = np.array([test.measured for test in tests])
    if len(tests) < 3 or predicted.std() == 0 or measured.std() == 0:
        return None
    return float(np.corrcoef(predicted, measured)[0, 1])
