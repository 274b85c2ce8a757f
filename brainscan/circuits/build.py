"""From a trace to the record: score it, prune it, name its nodes.

1. scores of the whole graph
2. pruning
3. nodes, with what each promotes and what taking it away should do
4. edges, each with its share of the target's input
"""

from __future__ import annotations

import numpy as np
import torch

from brainscan.circuits.attribute import Traced
from brainscan.circuits.graph import Counts, Edge, Graph, Node, strongest
from brainscan.circuits.prune import Pruned, prune
from brainscan.circuits.scores import Weighted, graph_scores
from brainscan.core.provenance import versions

PROMOTED = 5
"""Tokens named for each node."""
_LABEL = 3


def build_graph(traced: Traced, prompt: str, command: str = "") -> Graph:
    """The record of a trace; see the phases above. ``prompt`` is its text."""
    frozen, settings = traced.frozen, traced.settings
    weighted = as_weighted(traced)
    pruned = prune(weighted, settings.node_threshold, settings.edge_threshold)  # 2
    names = _Names(traced)
    nodes, ids = _nodes(traced, pruned, names)  # 3
    edges = _edges(weighted, pruned, ids, names)  # 4
    card = frozen.subject.card
    return Graph(
        subject=card.name,
        weights_sha256=card.weights_sha256,
        n_layers=traced.n_layers,
        prompt=prompt,
        tokens=frozen.subject.pieces(frozen.ids),
        token_ids=frozen.ids,
        outcome=traced.outcome.words,
        settings=settings,
        nodes=nodes,
        edges=edges,
        scores=graph_scores(weighted),  # 1
        counts=Counts(
            candidates=traced.candidates.active,
            attributed=len(traced.picked),
            nodes_before=int(weighted.rows.shape[1] + len(traced.outcome.targets)),
            edges_before=int(np.count_nonzero(weighted.rows)),
            inner_influence=float(pruned.influence[: -traced.frozen.n].sum()),
            influence_kept=pruned.kept,
        ),
        notes=_notes(traced),
        command=command,
        versions=versions(("torch", "transformers")),
    )


def as_weighted(traced: Traced) -> Weighted:
    """The trace as arrays, for scores and pruning."""
    return Weighted(traced.rows.cpu().numpy(), traced.weights.cpu().numpy(), len(traced.picked), traced.frozen.n)


class _Names:
    """Ids of columns and rows of a trace."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        found, picked = traced.candidates, traced.picked
        letter = found.kind[0]
        table = zip(
            found.layer[picked].tolist(), found.index[picked].tolist(), found.position[picked].tolist(), strict=True
        )
        self.inner = [f"{letter}{layer}.{index}@{position}" for layer, index, position in table]
        self.n, self.k = traced.frozen.n, len(picked)

    def column(self, i: int) -> str:
        """Id of a source."""
        if i < self.k:
            return self.inner[i]
        layer, position = divmod(i - self.k, self.n)
        return f"t{position}" if layer == self.traced.n_layers else f"e{layer}@{position}"

    def row(self, i: int) -> str:
        """Id of a target."""
        return self.inner[i] if i < self.k else f"o{i - self.k}"


def _nodes(traced: Traced, pruned: Pruned, names: _Names) -> tuple[tuple[Node, ...], set[str]]:
    kept = np.flatnonzero(pruned.columns)
    inner = torch.tensor([i for i in kept if i < names.k], dtype=torch.long, device=traced.picked.device)
    promoted = promoted_tokens(traced, traced.picked[inner])
    nodes = [
        _inner_node(traced, int(i), names, float(pruned.influence[i]), words)
        for i, words in zip(inner.tolist(), promoted, strict=True)
    ]
    nodes += [_outer_node(traced, int(i), names, float(pruned.influence[i])) for i in kept if i >= names.k]
    nodes += [_outcome_node(traced, place) for place in range(len(traced.outcome.targets))]
    order = np.argsort(-pruned.influence, kind="stable")
    cumulative = np.empty_like(pruned.influence)
    cumulative[order] = np.cumsum(pruned.influence[order]) / max(float(pruned.influence.sum()), 1e-12)
    reached = {names.column(int(i)): float(cumulative[i]) for i in kept}
    nodes = [node.model_copy(update={"cumulative": reached.get(node.id, 1.0)}) for node in nodes]
    return tuple(nodes), {node.id for node in nodes}


def _inner_node(traced: Traced, i: int, names: _Names, share: float, words: tuple[str, ...]) -> Node:
    found, at = traced.candidates, int(traced.picked[i])
    return Node(
        id=names.inner[i],
        kind=found.kind,
        layer=int(found.layer[at]),
        position=int(found.position[at]),
        index=int(found.index[at]),
        activation=float(found.activation[at]),
        influence=share,
        label=" ".join(word.strip() or "␣" for word in words[:_LABEL]),
        promotes=words,
        effect=-float(found.effect[at]),
    )


def _outer_node(traced: Traced, i: int, names: _Names, share: float) -> Node:
    layer, position = divmod(i - names.k, names.n)
    if layer < traced.n_layers:
        size = float(traced.candidates.errors[layer, position].norm())
        return Node(
            id=names.column(i), kind="error", layer=layer, position=position, index=-1, activation=size,
            influence=share, label="not explained",
        )  # fmt: skip
    token = traced.frozen.ids[position]
    piece = traced.frozen.subject.pieces([token])[0]
    return Node(
        id=names.column(i), kind="token", layer=-1, position=position, index=token, activation=1.0,
        influence=share, label=piece,
    )  # fmt: skip


def _outcome_node(traced: Traced, place: int) -> Node:
    target, frozen = traced.outcome.targets[place], traced.frozen
    value = float(
        frozen.values(target.site, torch.tensor([target.position], device=frozen.device), target.vector[None])[0]
    )
    return Node(
        id=f"o{place}", kind="outcome", layer=traced.n_layers, position=target.position,
        index=place if target.token is None else target.token,
        activation=value if target.probability is None else target.probability,
        influence=target.weight, label=target.label,
    )  # fmt: skip


def _edges(graph: Weighted, pruned: Pruned, ids: set[str], names: _Names) -> tuple[Edge, ...]:
    targets, sources = np.nonzero(pruned.edges)
    entering = np.maximum(np.abs(graph.rows).sum(1), 1e-10)
    found = (
        Edge(
            source=names.column(int(source)),
            target=names.row(int(target)),
            weight=float(graph.rows[target, source]),
            share=float(abs(graph.rows[target, source]) / entering[target]),
        )
        for target, source in zip(targets, sources, strict=True)
    )
    return strongest(edge for edge in found if edge.source in ids and edge.target in ids)


def promoted_tokens(traced: Traced, chosen: torch.Tensor) -> list[tuple[str, ...]]:
    """For each candidate [n], the tokens whose logits its own vector raises most, read by the unembedding alone."""
    if not len(chosen):
        return []
    return raised_tokens(traced, torch.stack(list(traced.candidates.outputs(chosen).values())).sum(0), PROMOTED)


def raised_tokens(traced: Traced, vectors: torch.Tensor, count: int) -> list[tuple[str, ...]]:
    """For each vector [n, d_model], the tokens whose logits it raises most, strongest first."""
    subject = traced.frozen.subject
    gain = getattr(subject.final_norm, "weight", None)
    vectors = vectors if gain is None else vectors * _norm_gain(subject.final_norm, gain)
    matrix = subject.unembedding.detach().float()
    top = (vectors @ (matrix - matrix.mean(0)).T).topk(min(count, matrix.shape[0])).indices
    pieces = subject.pieces(top.flatten().tolist())
    width = top.shape[1]
    return [pieces[i * width : (i + 1) * width] for i in range(len(top))]


def _norm_gain(norm: torch.nn.Module, weight: torch.Tensor) -> torch.Tensor:
    # Gemma's norms multiply by 1 + weight.
    return weight.detach().float() + (1.0 if "Gemma" in type(norm).__name__ else 0.0)


def _notes(traced: Traced) -> tuple[str, ...]:
    settings = traced.settings
    notes = ["Attributed is not validated: an edge is what the frozen model says until an edit has tested it."]
    if settings.skip_first:
        notes.append("Nothing at position 0 is a node: activations there are outsized in most models.")
    left = traced.candidates.active - len(traced.picked)
    if left > 0:
        where = "count as error of their layer and position" if settings.lump_rest else "are left out"
        notes.append(f"{left:,} active {traced.candidates.kind}s were not picked and {where}.")
    return tuple(notes)
