"""Many prompts and seeds, not one: which nodes and edges are there every time.

Positions are left out, so that prompts of different lengths can be laid over each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from brainscan.circuits.graph import Graph, Node
from brainscan.circuits.results import Aggregate, StableItem
from brainscan.core.errors import UsageError
from brainscan.core.statistics import cluster_interval, rate_interval

LEAST = 0.5
"""Share of graphs in which an item must be to be listed."""


def aggregate(graphs: Sequence[Graph], *, least: float = LEAST) -> Aggregate:
    """Lay circuits over each other.

    Args:
        least: nodes and edges that are in fewer graphs are left out of the lists.

    Raises:
        UsageError: fewer than two graphs, or graphs of different subjects or bases.
    """
    if len(graphs) < 2:
        raise UsageError("One circuit has no stability.", "Give two circuits or more.")
    if len({(graph.weights_sha256, graph.subject, graph.settings.basis) for graph in graphs}) > 1:
        raise UsageError("The circuits are of different models or bases.", "Use brainscan circuit diff for two models.")
    nodes = [node_strengths(graph) for graph in graphs]
    edges = [edge_strengths(graph) for graph in graphs]
    labels = {item: label for graph in graphs for item, label in node_labels(graph).items()}
    return Aggregate(
        subject=graphs[0].subject,
        prompts=tuple(dict.fromkeys(graph.prompt for graph in graphs)),
        n=len(graphs),
        nodes=_stable(nodes, least, labels),
        edges=_stable(edges, least, {}),
        replacement=cluster_interval([graph.scores.replacement for graph in graphs], within=(0.0, 1.0)),
        completeness=cluster_interval([graph.scores.completeness for graph in graphs], within=(0.0, 1.0)),
        jaccard=float(np.mean([jaccard(a, b) for a, b in combinations(nodes, 2)])),
        least=least,
    )


def place_free(node: Node) -> str:
    """A name without position: "neuron 12.345", "error 3", "token 17", "outcome 17"."""
    if node.kind in ("neuron", "feature"):
        return f"{node.kind} {node.layer}.{node.index}"
    return f"error {node.layer}" if node.kind == "error" else f"{node.kind} {node.index}"


def node_strengths(graph: Graph, *, places: bool = False) -> dict[str, float]:
    """Item -> influence; the strongest position counts where there are several. ``places``: positions are kept."""
    found: dict[str, float] = {}
    for node in graph.nodes:
        name = node.id if places else place_free(node)
        found[name] = max(found.get(name, 0.0), node.influence)
    return found


def edge_strengths(graph: Graph, *, places: bool = False) -> dict[str, float]:
    """ "source -> target" -> weight; the strongest position counts where there are several."""
    names = {node.id: node.id if places else place_free(node) for node in graph.nodes}
    found: dict[str, float] = {}
    for edge in graph.edges:  # strongest first
        found.setdefault(f"{names[edge.source]} -> {names[edge.target]}", edge.weight)
    return found


def node_labels(graph: Graph, *, places: bool = False) -> dict[str, str]:
    """Item -> label."""
    return {node.id if places else place_free(node): node.label for node in graph.nodes}


def jaccard(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Shared items as a share of all, 0 to 1."""
    return len(a.keys() & b.keys()) / max(len(a.keys() | b.keys()), 1)


def _stable(found: Sequence[Mapping[str, float]], least: float, labels: Mapping[str, str]) -> tuple[StableItem, ...]:
    values: dict[str, list[float]] = defaultdict(list)
    for one in found:
        for item, value in one.items():
            values[item].append(value)
    listed = [
        StableItem(
            id=item, graphs=len(seen), n=len(found), rate=len(seen) / len(found),
            interval=rate_interval(len(seen), len(found)), mean=float(np.mean(seen)),
            mean_interval=cluster_interval(seen), label=labels.get(item, ""),
        )
        for item, seen in values.items()
        if len(seen) / len(found) >= least
    ]  # fmt: skip
    return tuple(sorted(listed, key=lambda item: (-item.graphs, -abs(item.mean), item.id)))
