"""Pruning by influence: the fewest nodes and edges that carry most of it, with circuit-tracer's definitions.

1. keep the nodes with the largest influence, up to ``node_threshold`` of all influence; tokens and targets always stay
2. keep the edges with the largest score (share of the target times the target's influence), up to ``edge_threshold``
3. drop neurons, features and errors without an output, and neurons and features without an input, until none is left
Source: circuit-tracer, graph.py (prune_graph).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.circuits.scores import Floats, Weighted, influence

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pruned:
    """What is left of a graph."""

    columns: Mask  # [columns] sources kept; targets are always kept
    edges: Mask  # [k + targets, columns]
    influence: Floats  # [columns] before pruning
    scores: Floats  # [k + targets, columns] of each edge after node pruning

    @property
    def kept(self) -> float:
        """Share of the edge scores that the kept edges carry."""
        return float(self.scores[self.edges].sum() / max(float(self.scores.sum()), 1e-12))


def prune(graph: Weighted, node_threshold: float = 0.8, edge_threshold: float = 0.98) -> Pruned:
    """Prune a graph; see the phases above. Thresholds are shares, 0 to 1; 1 keeps everything that has any influence."""
    total = influence(graph.shares(), graph.weights, graph.k)
    # Targets are among circuit-tracer's nodes with an influence of 0, which moves no threshold.
    columns = total >= smallest_kept(total, node_threshold)
    columns[len(columns) - graph.tokens :] = True
    rows = graph.rows * columns
    rows[: graph.k][~columns[: graph.k]] = 0
    shares = Weighted(rows, graph.weights, graph.k, graph.tokens).shares()
    after = influence(shares, graph.weights, graph.k)
    scores = shares * np.concatenate([after[: graph.k], graph.weights])[:, None]
    edges = scores >= smallest_kept(scores.ravel(), edge_threshold)
    edges &= scores > 0
    return Pruned(*_connected(columns, edges, graph), total, scores)


def smallest_kept(scores: Floats, threshold: float) -> float:
    """The smallest score among the largest ones that together reach ``threshold`` of the sum."""
    ordered = np.sort(scores)[::-1]
    cumulative = np.cumsum(ordered) / max(float(ordered.sum()), 1e-30)
    return float(ordered[min(int(np.searchsorted(cumulative, threshold)), len(ordered) - 1)])


def _connected(columns: Mask, edges: Mask, graph: Weighted) -> tuple[Mask, Mask]:
    columns, edges = columns.copy(), edges.copy()
    inner = len(columns) - graph.tokens
    while True:
        before = columns.sum()
        columns[:inner] &= edges[:, :inner].any(0)
        columns[: graph.k] &= edges[: graph.k].any(1)
        edges[:, ~columns] = False
        edges[: graph.k][~columns[: graph.k]] = False
        if columns.sum() == before:
            return columns, edges
