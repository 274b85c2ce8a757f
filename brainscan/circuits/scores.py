"""Influence over a whole graph, and the replacement and completeness scores, as circuit-tracer defines them.

A graph here is an array ``rows`` [k + targets, columns] of direct effects: row i < k belongs to column i (a neuron or
feature), the last rows to the outcome's targets; columns are [k nodes | errors | tokens].
Source: circuit-tracer, graph.py (normalize_matrix, compute_node_influence, compute_graph_scores).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.circuits.graph import Scores
from brainscan.core.errors import RecordError

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Weighted:
    """Direct effects with what is needed to weigh them."""

    rows: Floats  # [k + targets, columns]
    weights: Floats  # [targets], non-negative
    k: int
    """Neurons or features."""
    tokens: int
    """Tokens: the last columns. Errors lie between the two."""

    def shares(self) -> Floats:
        """|rows|, each made to sum to 1 (rows of nothing stay 0)."""
        size = np.abs(self.rows)
        return size / np.maximum(size.sum(1, keepdims=True), 1e-10)


def influence(shares: Floats, weights: Floats, k: int) -> Floats:
    """[columns]: how much of the outcome's input each source stands for, summed over all paths; 0 to 1.

    Raises:
        RecordError: the graph goes in circles: no path through k nodes is longer than k.
    """
    arriving = weights @ shares[k:]
    total = arriving.copy()
    for _ in range(k + 1):
        if not arriving[:k].any():
            return total
        arriving = arriving[:k] @ shares[:k]
        total += arriving
    raise RecordError("The links of the graph go in circles.", "Export the graph again.")


def graph_scores(graph: Weighted) -> Scores:
    """Replacement and completeness, each 0 (all error) to 1 (no error at all)."""
    shares = graph.shares()
    total = influence(shares, graph.weights, graph.k)
    errors = slice(graph.k, shares.shape[1] - graph.tokens)
    token, error = float(total[errors.stop :].sum()), float(total[errors].sum())
    sound = 1 - shares[:, errors].sum(1)  # of each row
    reached = np.concatenate([total[: graph.k], graph.weights])
    # Errors and tokens have no inputs: like circuit-tracer, they count as wholly sound.
    ends = float(total[graph.k :].sum())
    complete = (float((sound * reached).sum()) + ends) / max(float(reached.sum()) + ends, 1e-12)
    return Scores(replacement=token / max(token + error, 1e-12), completeness=complete)
