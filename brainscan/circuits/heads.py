"""Attention explained: which heads carried an edge, and why a head looked where it looked.

An edge runs through attention layers between its source and its target. In the frozen model its weight splits exactly,
layer by layer, into what passed each head and what stayed in the stream. Why a head looked is the attribution of one
attention score: with norms held it is a product of what stands at the query and what stands at the key, so either side,
the other held, adds up to the score (biases apart).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch

from brainscan.circuits.attribute import Effects, Traced
from brainscan.circuits.basis import Candidates
from brainscan.circuits.freeze import Frozen, freeze
from brainscan.circuits.graph import Edge, Graph, HeadShare, Look, LookPart
from brainscan.circuits.play import EMBEDDED, play
from brainscan.circuits.targets import Target
from brainscan.circuits.validate import node_places
from brainscan.core.address import Site
from brainscan.core.errors import SiteUnavailable, UsageError


def with_heads(traced: Traced, graph: Graph, edges: Sequence[Edge], most: int = 5) -> Graph:
    """The graph with the heads that carried ``edges`` written onto them, at most ``most`` an edge, strongest first."""
    carried = {
        (edge.source, edge.target): heads
        for edge, heads in zip(edges, _Carrier(traced).carry(edges, graph, most), strict=True)
    }
    return graph.model_copy(
        update={
            "edges": tuple(
                edge.model_copy(update={"heads": carried.get((edge.source, edge.target), edge.heads)})
                for edge in graph.edges
            )
        }
    )


class _Carrier:
    """The frozen pass with its head outputs and streams."""

    def __init__(self, traced: Traced) -> None:
        self.traced, self.frozen = traced, traced.frozen
        subject = traced.frozen.subject
        layers = range(subject.n_layers)
        self.heads = [subject.check(Site("head_out", layer)) for layer in layers]
        self.streams = [subject.check(Site("resid_pre", layer)) for layer in layers]
        self.base = play(self.frozen, {0: torch.zeros_like(self.frozen.outputs[0])[None]}, self._sites(), "all")

    def carry(self, edges: Sequence[Edge], graph: Graph, most: int) -> list[tuple[HeadShare, ...]]:
        places = node_places(self.traced)
        return [self._carried(edge, graph, places, most) for edge in edges]

    def _sites(self) -> list[Site]:
        return [*self.heads, *self.streams]

    def _carried(self, edge: Edge, graph: Graph, places: dict[str, int], most: int) -> tuple[HeadShare, ...]:
        target = target_of(self.traced, edge.target, places)
        moved = play(self.frozen, source_change(self.traced, edge.source, places), self._sites(), "all")
        value = (self.frozen.tensors[target.site][0, target.position] * target.vector).sum()
        last = self.frozen.subject.n_layers if target.site.layer is None else target.site.layer + 1
        raw = [self.frozen.heads[layer] for layer in range(last)]
        found: list[HeadShare] = []
        for layer, gradient in enumerate(torch.autograd.grad(value, raw, retain_graph=True, allow_unused=True)):
            if gradient is None:
                continue
            site = self.heads[layer]
            step = (moved[site] - self.base[site])[0]  # [pos, head, d_head]
            flow = (gradient.reshape(step.shape) * step).sum(-1)  # [pos, head]
            for at in flow.abs().flatten().topk(min(most, flow.numel())).indices.tolist():
                query, head = divmod(at, flow.shape[1])
                if float(flow[query, head]) != 0:
                    key = self._key(layer, head, query, gradient.reshape(step.shape), moved)
                    found.append(
                        HeadShare(layer=layer, head=head, query=query, key=key, weight=float(flow[query, head]))
                    )
        return tuple(sorted(found, key=lambda share: -abs(share.weight))[:most])

    def _key(self, layer: int, head: int, query: int, gradient: torch.Tensor, moved: dict[Site, torch.Tensor]) -> int:
        raw = self.frozen.heads[layer].reshape(gradient.shape)
        stream = self.frozen.tensors[self.streams[layer]]
        if not stream.requires_grad:
            return query
        part = (raw[query, head] * gradient[query, head].detach()).sum()
        back = torch.autograd.grad(part, stream, retain_graph=True, allow_unused=True)[0]
        if back is None:
            return query
        step = (moved[self.streams[layer]] - self.base[self.streams[layer]])[0]
        return int((back[0] * step).sum(-1).abs().argmax())


def source_change(traced: Traced, source: str, places: dict[str, int]) -> dict[int, torch.Tensor]:
    """What a source writes, as a change [1, pos, d] by layer, to be added once more."""
    shape = (1, *traced.frozen.outputs[0].shape)
    if source in places:
        found = traced.candidates
        at = int(found.position[places[source]])
        changes = {}
        for layer, vectors in found.outputs(found.at([places[source]])).items():
            changes[layer] = torch.zeros(shape, device=traced.frozen.device)
            changes[layer][0, at] = vectors[0]
        return changes
    change = torch.zeros(shape, device=traced.frozen.device)
    if source.startswith("t"):
        change[0, int(source[1:])] = traced.frozen.token_vectors()[int(source[1:])]
        return {EMBEDDED: change}
    layer, position = (int(part) for part in source[1:].split("@"))
    change[0, position] = traced.candidates.errors[layer, position]
    return {layer: change}


def target_of(traced: Traced, id: str, places: dict[str, int]) -> Target:
    """A node of the graph as a target."""
    if id.startswith("o"):
        return traced.outcome.targets[int(id[1:])]
    found, at = traced.candidates, places[id]
    layer = int(found.layer[at])
    vector = found.encode(found.at([at]))[0]
    return Target(id, found.reads[layer], int(found.position[at]), vector, 1.0)


def with_looks(traced: Traced, graph: Graph, most: int = 3) -> Graph:
    """The graph with why its main heads looked where they did, written onto it.

    A head counts by the influence that the edges on which it is written (``with_heads``) brought through it; where query
    and key are one token it is left out. A model without one softmax a layer has no looks, and a note says so.
    """
    reached = {node.id: node.influence for node in graph.nodes}
    carried: Counter[tuple[int, int, int, int]] = Counter()
    for edge in graph.edges:
        scale = edge.share * reached[edge.target] / max(abs(edge.weight), 1e-12)
        for head in edge.heads:
            if head.query != head.key:
                carried[head.layer, head.head, head.query, head.key] += scale * abs(head.weight)  # type: ignore[assignment]
    if not carried or most < 1:
        return graph
    try:
        frozen = _with_scores(traced, {at[0] for at, _ in carried.most_common(most)})
    except SiteUnavailable as error:
        return graph.model_copy(update={"notes": (*graph.notes, str(error))})
    looks = tuple(_look(traced, frozen, *at) for at, _ in carried.most_common(most))
    return graph.model_copy(update={"looks": looks})


def why_looked(traced: Traced, layer: int, head: int, query: int, key: int, most: int = 10) -> Look:
    """Attribute one attention score to the nodes at its two ends.

    Raises:
        UsageError: there is no such head, or the key comes after the query.
        SiteUnavailable: the model's attention is not one softmax a layer.
    """
    subject, n = traced.frozen.subject, traced.frozen.n
    if not (0 <= layer < subject.n_layers and 0 <= head < subject.n_heads and 0 <= key <= query < n):
        raise UsageError(
            f"There is no look of head {layer}.{head} from token {query} at token {key}.",
            f"Layers are 0 to {subject.n_layers - 1}, heads 0 to {subject.n_heads - 1}, and a key is not after its query.",
        )
    return _look(traced, _with_scores(traced, {layer}), layer, head, query, key, most)


def _with_scores(traced: Traced, layers: set[int]) -> Frozen:
    """A frozen pass that keeps what each softmax read."""
    subject = traced.frozen.subject
    sites = [*traced.frozen.tensors, *(Site("resid_pre", layer) for layer in layers)]
    frozen = freeze(subject, traced.frozen.ids, sites, rule=traced.settings.rule, keep_scores=True)
    if len(frozen.tape.scores) != subject.n_layers:
        raise SiteUnavailable(
            f"{subject.card.name} does not have one softmax a layer, so why its heads looked is not known.",
            "Ask which heads carried an edge instead.",
        )
    return frozen


def _look(traced: Traced, frozen: Frozen, layer: int, head: int, query: int, key: int, most: int = 10) -> Look:
    shape = (-1, frozen.subject.n_heads, frozen.n, frozen.n)
    score = frozen.tape.scores[layer].reshape(shape)[0, head, query, key]
    gradient = torch.autograd.grad(score, frozen.tensors[Site("resid_pre", layer)], retain_graph=True)[0][0]
    return Look(
        layer=layer, head=head, query=query, key=key,
        probability=float(frozen.tape.patterns[layer].reshape(shape)[0, head, query, key]), score=float(score.detach()),
        query_side=_side(traced, frozen, layer, query, gradient[query], most),
        key_side=_side(traced, frozen, layer, key, gradient[key], most),
    )  # fmt: skip


def _side(
    traced: Traced, frozen: Frozen, layer: int, position: int, vector: torch.Tensor, most: int
) -> tuple[LookPart, ...]:
    effects = Effects(frozen, traced.candidates, keep_first=True)
    row = effects.of_targets([Target("", Site("resid_pre", layer), position, vector, 1.0)])[0]
    top = row.abs().topk(min(most, len(row))).indices.tolist()
    return tuple(
        LookPart(node=column_name(traced.candidates, frozen.n, i), weight=float(row[i]))
        for i in top
        if float(row[i]) != 0
    )


def column_name(candidates: Candidates, n: int, i: int) -> str:
    """Id of a column of ``Effects``: a candidate, an error or a token."""
    if i < len(candidates):
        layer, index, position = (int(x[i]) for x in (candidates.layer, candidates.index, candidates.position))
        return f"{candidates.kind[0]}{layer}.{index}@{position}"
    layer, position = divmod(i - len(candidates), n)
    return f"t{position}" if layer == candidates.errors.shape[0] else f"e{layer}@{position}"
