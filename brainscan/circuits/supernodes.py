"""Supernodes without hands: nodes that act as one are grouped and named, and the circuit is told in one line.

1. likeness of two nodes at one position: mean of co-activation over the prompt, of what they write (cosine), of the
   tokens they promote (overlap), and of where their effects go (cosine of their edges)
2. average-linkage clusters at a fixed likeness
3. a name: the promoted token that carries most influence in the group
4. a story: from the outcome back along the strongest flow between groups, chain by chain, until half of the influence
   is told; beside it the same number of nodes drawn at random
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.circuits.attribute import Traced
from brainscan.circuits.graph import Graph, Node, Story, Supernode
from brainscan.circuits.validate import node_places

ALIKE = 0.35
"""Mean likeness at which two clusters are still joined, 0 to 1."""
ENOUGH = 0.5
CHAINS = 4
STEPS = 4
"""Groups on one chain, at most."""
DRAWS = 200


def with_supernodes(traced: Traced, graph: Graph, alike: float = ALIKE) -> Graph:
    """The graph with its groups and its story; see the phases above."""
    groups: list[Supernode] = []
    total = max(graph.counts.inner_influence, 1e-12)
    by_position: dict[int, list[Node]] = defaultdict(list)
    for node in graph.inner:
        by_position[node.position].append(node)
    profile = _effect_profiles(graph)
    for position in sorted(by_position):
        nodes = by_position[position]
        for members in _clusters(likeness(traced, nodes, profile), alike):
            chosen = [nodes[i] for i in members]
            share = sum(node.influence for node in chosen) / total
            name = group_name(chosen, graph.tokens[position])
            groups.append(Supernode(id="", name=name, members=tuple(node.id for node in chosen), influence=share))
    groups.sort(key=lambda group: (-group.influence, group.members))
    named = tuple(group.model_copy(update={"id": f"s{i}"}) for i, group in enumerate(groups))
    grouped = graph.model_copy(update={"supernodes": named})
    return grouped.model_copy(update={"story": tell(grouped)})


def likeness(traced: Traced, nodes: Sequence[Node], profile: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """[n, n], 0 (nothing in common) to 1: see phase 1."""
    places = node_places(traced)
    ids = torch.tensor([places[node.id] for node in nodes])
    written = torch.stack(list(traced.candidates.outputs(ids).values())).sum(0)
    parts = [
        np.clip(_correlation(_activations(traced, nodes)), 0, 1),
        np.clip(_cosine(written.numpy().astype(np.float64)), 0, 1),
        _overlap([{word.strip().lower() for word in node.promotes} for node in nodes]),
        np.clip(_cosine(np.stack([profile[node.id] for node in nodes])), 0, 1),
    ]
    return np.mean(parts, axis=0)


def group_name(nodes: Sequence[Node], token: str) -> str:
    """The promoted token with most influence behind it; the token it stands at where none says anything."""
    votes: Counter[str] = Counter()
    for node in nodes:
        for rank, word in enumerate(node.promotes):
            if any(character.isalnum() for character in word):
                votes[word.strip()] += node.influence / (1 + rank)  # type: ignore[assignment]
    return votes.most_common(1)[0][0] if votes else token.strip() or "␣"


def tell(graph: Graph, seed: int = 0) -> Story | None:
    """The story of a grouped graph; None where no group reaches the outcome."""
    home = {member: group.id for group in graph.supernodes for member in group.members}
    flow = _flows(graph, home)
    names = {group.id: group for group in graph.supernodes}
    told: list[list[str]] = []
    used: set[str] = set()
    outcome = max(graph.outcomes, key=lambda node: node.influence)
    while len(told) < CHAINS and sum(names[group].influence for group in used) < ENOUGH:
        chain = _chain(outcome.id, flow, used)
        if not any(step in names for step in chain):
            break
        used |= {step for step in chain if step in names}
        told.append(chain)
    if not told:
        return None
    line = "; ".join(" -> ".join(_called(step, graph, names) for step in chain) for chain in told)
    members = [member for group in used for member in names[group].members]
    explained = sum(names[group].influence for group in used)
    return Story(
        line=line, path=tuple(dict.fromkeys(step for chain in told for step in chain)), explained=min(explained, 1.0),
        random=_at_random(graph, len(members), seed), draws=DRAWS,
    )  # fmt: skip


def _flows(graph: Graph, home: dict[str, str]) -> dict[str, Counter[str]]:
    """Target group -> source group -> influence that flows; tokens and outcomes stand for themselves."""
    reached = {node.id: node.influence for node in graph.nodes}
    flow: dict[str, Counter[str]] = defaultdict(Counter)
    for edge in graph.edges:
        source, target = home.get(edge.source, edge.source), home.get(edge.target, edge.target)
        if source != target and not source.startswith("e"):
            flow[target][source] += edge.share * reached[edge.target]  # type: ignore[assignment]
    return flow


def _chain(outcome: str, flow: dict[str, Counter[str]], used: set[str]) -> list[str]:
    chain, seen, at = [outcome], {outcome, *used}, outcome
    while len(chain) <= STEPS:
        open_ = [(weight, source) for source, weight in flow[at].items() if source not in seen]
        if len(chain) == 1:  # a chain that is a token and the outcome alone tells nothing
            open_ = [(weight, source) for weight, source in open_ if source.startswith("s")]
        if not open_:
            break
        at = max(open_)[1]
        chain.append(at)
        seen.add(at)
        if at.startswith("t"):
            break
    if chain[-1].startswith("s"):
        tokens = [(weight, source) for source, weight in flow[chain[-1]].items() if source.startswith("t")]
        chain += [max(tokens)[1]] if tokens else []
    return chain[::-1]


def _called(step: str, graph: Graph, names: dict[str, Supernode]) -> str:
    if step in names:
        return f"[{names[step].name}]"
    return graph.node(step).label.strip() or "␣"


def _at_random(graph: Graph, size: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    inner = np.array([node.influence for node in graph.inner])
    drawn = [inner[rng.choice(len(inner), size, replace=False)].sum() for _ in range(DRAWS)]
    return float(np.mean(drawn) / max(graph.counts.inner_influence, 1e-12))


def _clusters(alike: NDArray[np.float64], least: float) -> list[list[int]]:
    if len(alike) == 1:
        return [[0]]
    from scipy.cluster.hierarchy import fcluster, linkage  # a second to import
    from scipy.spatial.distance import squareform

    distance = 1 - (alike + alike.T) / 2
    np.fill_diagonal(distance, 0)
    labels = fcluster(linkage(squareform(np.maximum(distance, 0), checks=False), "average"), 1 - least, "distance")
    return [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]


def _effect_profiles(graph: Graph) -> dict[str, NDArray[np.float64]]:
    place = {node.id: i for i, node in enumerate(graph.nodes)}
    profile = {node.id: np.zeros(len(place)) for node in graph.inner}
    for edge in graph.edges:
        if edge.source in profile:
            profile[edge.source][place[edge.target]] = np.sign(edge.weight) * edge.share
    return profile


def _activations(traced: Traced, nodes: Sequence[Node]) -> NDArray[np.float64]:
    """[n, pos]: each node's activation at every token of the prompt."""
    found, frozen = traced.candidates, traced.frozen
    out = np.zeros((len(nodes), frozen.n))
    for i, node in enumerate(nodes):
        if node.kind == "neuron":
            out[i] = frozen.acts[node.layer][:, node.index].numpy()
        else:
            mine = torch.nonzero((found.layer == node.layer) & (found.index == node.index)).flatten()
            out[i, found.position[mine].numpy()] = found.activation[mine].numpy()
    return out


def _correlation(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return _cosine(rows - rows.mean(1, keepdims=True))


def _cosine(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit @ unit.T


def _overlap(sets: Sequence[set[str]]) -> NDArray[np.float64]:
    return np.array([[len(a & b) / max(len(a | b), 1) for b in sets] for a in sets])
