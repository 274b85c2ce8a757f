"""Scores and pruning are those of circuit-tracer: held against its definitions, spelled out on the whole square matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.circuits.build import as_weighted
from brainscan.circuits.prune import prune
from brainscan.circuits.scores import Weighted, graph_scores, influence
from tests.circuits.small import traced


def random_graph(seed: int, k: int = 9, errors: int = 6, tokens: int = 3, targets: int = 2) -> Weighted:
    """A layered graph: node i reads only nodes before it."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(k + targets, k + errors + tokens)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.3] = 0
    rows[:k, :k] *= np.tril(np.ones((k, k), np.float32), -1)
    weights = rng.random(targets).astype(np.float32)
    return Weighted(rows, weights / weights.sum(), k, tokens)


def square(graph: Weighted) -> tuple[np.ndarray, np.ndarray]:
    """The adjacency [all, all] and the weight of every node."""
    columns = graph.rows.shape[1]
    n = columns + len(graph.weights)
    matrix = np.zeros((n, n))
    matrix[: graph.k, :columns] = graph.rows[: graph.k]
    matrix[columns:, :columns] = graph.rows[graph.k :]
    weights = np.zeros(n)
    weights[columns:] = graph.weights
    return matrix, weights


def normalised(matrix: np.ndarray) -> np.ndarray:
    size = np.abs(matrix)
    return size / np.clip(size.sum(1, keepdims=True), 1e-10, None)


def all_paths(share: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ (np.linalg.inv(np.eye(len(share)) - share) - np.eye(len(share)))


def least(scores: np.ndarray, threshold: float) -> float:
    ordered = np.sort(scores)[::-1]
    place = int(np.searchsorted(np.cumsum(ordered) / ordered.sum(), threshold))
    return ordered[min(place, len(ordered) - 1)]


def pruned_square(graph: Weighted, node_threshold: float, edge_threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """circuit-tracer's prune_graph on the square matrix."""
    matrix, weights = square(graph)
    columns = graph.rows.shape[1]
    total = all_paths(normalised(matrix), weights)
    nodes = total >= least(total, node_threshold)
    nodes[columns - graph.tokens :] = True
    matrix = matrix * nodes * nodes[:, None]
    share = normalised(matrix)
    scores = share * (all_paths(share, weights) + weights)[:, None]
    edges = (scores >= least(scores.ravel(), edge_threshold)) & (scores > 0)
    while True:
        before = nodes.copy()
        nodes[: columns - graph.tokens] &= edges[:, : columns - graph.tokens].any(0)
        nodes[: graph.k] &= edges[: graph.k].any(1)
        edges &= nodes & nodes[:, None]
        if (nodes == before).all():
            return nodes, edges


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 0.99), st.floats(0.5, 0.999))
def test_pruning_is_circuit_tracers(seed: int, node_threshold: float, edge_threshold: float) -> None:
    graph = random_graph(seed)
    found = prune(graph, node_threshold, edge_threshold)
    nodes, edges = pruned_square(graph, node_threshold, edge_threshold)
    columns = graph.rows.shape[1]
    assert (found.columns == nodes[:columns]).all()
    assert (found.edges[: graph.k] == edges[: graph.k, :columns]).all()
    assert (found.edges[graph.k :] == edges[columns:, :columns]).all()


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_circuit_tracers(seed: int) -> None:
    graph = random_graph(seed)
    matrix, weights = square(graph)
    share = normalised(matrix)
    total = all_paths(share, weights)
    columns = graph.rows.shape[1]
    errors, tokens = slice(graph.k, columns - graph.tokens), slice(columns - graph.tokens, columns)
    reached = total + weights
    complete = ((1 - share[:, errors].sum(1)) * reached).sum() / reached.sum()
    found = graph_scores(graph)
    assert found.replacement == pytest.approx(
        total[tokens].sum() / (total[tokens].sum() + total[errors].sum()), abs=1e-5
    )
    assert found.completeness == pytest.approx(complete, abs=1e-5)


def test_without_errors_both_scores_are_1() -> None:
    graph = random_graph(1)
    graph.rows[:, graph.k : -graph.tokens] = 0
    found = graph_scores(graph)
    assert (found.replacement, found.completeness) == (pytest.approx(1.0), pytest.approx(1.0))


def test_influence_of_a_real_trace_stays_between_0_and_1() -> None:
    weighted = as_weighted(traced())
    total = influence(weighted.shares(), weighted.weights, weighted.k)
    assert 0 <= float(total.min()) <= float(total.max()) <= 1 + 1e-5


def test_higher_thresholds_keep_more() -> None:
    graph = random_graph(2)
    small, large = prune(graph, 0.5, 0.9), prune(graph, 0.9, 0.99)
    assert small.columns.sum() <= large.columns.sum()
    assert small.edges.sum() <= large.edges.sum()
    assert 0.85 <= large.kept <= 1
