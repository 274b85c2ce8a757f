"""Supernodes without hands: nodes that act as one are grouped and named, and the circuit is told in one line.

1. likeness of two nodes at one position: mean of co-activation over the prompt, of what they write (cosine), of the
   tokens they promote (overlap), and of the places where their effects go (cosine over positions and bands of layers)
2. average-linkage clusters at a fixed likeness
3. a name: the word that the group as a whole raises most, or, where it works against the outcome, lowers most
4. a story: from the outcome back along the strongest flow between groups, chain by chain, until half of the nodes'
   influence is told; beside it the same telling after nodes were dealt at random to groups of the same sizes
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.circuits.attribute import Traced
from brainscan.circuits.build import raised_tokens
from brainscan.circuits.graph import Graph, Node, Story, Supernode
from brainscan.circuits.validate import node_places

ALIKE = 0.35
"""Mean likeness at which two clusters are still joined, 0 to 1."""
ENOUGH = 0.5
CHAINS = 6
STEPS = 4
"""Groups on one chain, at most."""
DRAWS = 20
_BAND = 3
"""Layers that count as one place where an effect goes."""
_LOOKED = 200
"""Tokens among which a whole word is looked for."""
_WHOLE = re.compile(r"[ \u2581\u0120][A-Za-z]{3,}")


def with_supernodes(traced: Traced, graph: Graph, alike: float = ALIKE) -> Graph:
    """The graph with its groups and its story; see the phases above."""
    by_position: dict[int, list[Node]] = defaultdict(list)
    for node in graph.inner:
        by_position[node.position].append(node)
    profile = effect_profiles(graph)
    groups = [
        [nodes[i] for i in members]
        for _, nodes in sorted(by_position.items())
        for members in _clusters(likeness(traced, nodes, profile), alike)
    ]
    names = group_names(traced, groups, graph)
    grouped = graph.model_copy(update={"supernodes": _supernodes(graph, groups, names)})
    return grouped.model_copy(update={"story": tell(grouped)})


def _supernodes(graph: Graph, groups: Sequence[Sequence[Node]], names: Sequence[str]) -> tuple[Supernode, ...]:
    """Groups as records, most influence first."""
    total = max(sum(node.influence for node in graph.inner), 1e-12)
    made = [
        Supernode(
            id="",
            name=name,
            members=tuple(node.id for node in nodes),
            influence=sum(n.influence for n in nodes) / total,
        )
        for nodes, name in zip(groups, names, strict=True)
    ]
    made.sort(key=lambda group: (-group.influence, group.members))
    return tuple(group.model_copy(update={"id": f"s{i}"}) for i, group in enumerate(made))


def likeness(traced: Traced, nodes: Sequence[Node], profile: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """[n, n], 0 (nothing in common) to 1: see phase 1."""
    places = node_places(traced)
    ids = traced.candidates.at([places[node.id] for node in nodes])
    written = torch.stack(list(traced.candidates.outputs(ids).values())).sum(0)
    parts = [
        np.clip(_correlation(_activations(traced, nodes)), 0, 1),
        np.clip(_cosine(written.cpu().numpy().astype(np.float64)), 0, 1),
        _overlap([{word.strip().lower() for word in node.promotes} for node in nodes]),
        np.clip(_cosine(np.stack([profile[node.id] for node in nodes])), 0, 1),
    ]
    return np.mean(parts, axis=0)


def group_names(traced: Traced, groups: Sequence[Sequence[Node]], graph: Graph) -> list[str]:
    """A word for each group, ``against`` it where taking the group away should raise the outcome."""
    if not groups:
        return []
    places, found = node_places(traced), traced.candidates
    opposed = [sum(node.effect or 0.0 for node in nodes) > 0 for nodes in groups]
    written = [
        torch.stack(list(found.outputs(found.at([places[node.id] for node in nodes])).values())).sum((0, 1))
        for nodes in groups
    ]
    signed = torch.stack([-vector if against else vector for vector, against in zip(written, opposed, strict=True)])
    words = [
        told_word(raised, graph.tokens[nodes[0].position])
        for raised, nodes in zip(raised_tokens(traced, signed, _LOOKED), groups, strict=True)
    ]
    return [f"against {word}" if against else word for word, against in zip(words, opposed, strict=True)]


def told_word(raised: Sequence[str], token: str) -> str:
    """The first whole word among raised tokens, else the first with a letter or digit, else the token it stands at."""
    whole = [word for word in raised if _WHOLE.fullmatch(word)]
    some = [word for word in raised if any(character.isalnum() for character in word)]
    return next((word.strip() for word in (*whole, *some)), token.strip() or "␣")


def tell(graph: Graph, seed: int = 0) -> Story | None:
    """The story of a grouped graph; None where no group reaches the outcome."""
    home = {member: group.id for group in graph.supernodes for member in group.members}
    flow = _flows(graph, home)
    names = {group.id: group for group in graph.supernodes}
    told, used = _chains(graph, flow, names)
    if not told:
        return None
    line = "; ".join(" -> ".join(_called(step, graph, names) for step in chain) for chain in told)
    return Story(
        line=line, path=tuple(dict.fromkeys(step for chain in told for step in chain)),
        explained=_explained(names, used), random=_at_random(graph, seed), draws=DRAWS,
    )  # fmt: skip


def _chains(
    graph: Graph, flow: dict[str, Counter[str]], names: dict[str, Supernode]
) -> tuple[list[list[str]], set[str]]:
    """Chains from a token to the outcome, and the groups on them."""
    told: list[list[str]] = []
    used: set[str] = set()
    outcome = max(graph.outcomes, key=lambda node: node.influence)
    while len(told) < CHAINS and sum(names[group].influence for group in used) < ENOUGH:
        chain = _chain(outcome.id, flow, used)
        if not any(step in names for step in chain):
            break
        used |= {step for step in chain if step in names}
        told.append(chain)
    return told, used


def _explained(names: dict[str, Supernode], used: set[str]) -> float:
    return min(sum(names[group].influence for group in used), 1.0)


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


def _at_random(graph: Graph, seed: int) -> float:
    """What is explained on average when nodes are dealt at random to groups of the same sizes."""
    rng = np.random.default_rng(seed)
    inner, sizes = graph.inner, [len(group.members) for group in graph.supernodes]
    found = []
    for _ in range(DRAWS):
        parts = np.split(rng.permutation(len(inner)), np.cumsum(sizes)[:-1])
        dealt = _supernodes(graph, [[inner[int(i)] for i in part] for part in parts], [""] * len(parts))
        names = {group.id: group for group in dealt}
        flow = _flows(graph, {member: group.id for group in dealt for member in group.members})
        found.append(_explained(names, _chains(graph, flow, names)[1]))
    return float(np.mean(found))


def _clusters(alike: NDArray[np.float64], least: float) -> list[list[int]]:
    if len(alike) == 1:
        return [[0]]
    from scipy.cluster.hierarchy import fcluster, linkage  # a second to import
    from scipy.spatial.distance import squareform

    distance = 1 - (alike + alike.T) / 2
    np.fill_diagonal(distance, 0)
    labels = fcluster(linkage(squareform(np.maximum(distance, 0), checks=False), "average"), 1 - least, "distance")
    return [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]


def effect_profiles(graph: Graph) -> dict[str, NDArray[np.float64]]:
    """Each inner node's signed influence on every position and band of layers [positions * bands]."""
    bands = graph.n_layers // _BAND + 1  # the outcome lies in the last
    profile = {node.id: np.zeros(len(graph.tokens) * bands) for node in graph.inner}
    known = {node.id: node for node in graph.nodes}
    for edge in graph.edges:
        if edge.source in profile:
            target = known[edge.target]
            place = target.position * bands + target.layer // _BAND
            profile[edge.source][place] += np.sign(edge.weight) * edge.share * target.influence
    return profile


def _activations(traced: Traced, nodes: Sequence[Node]) -> NDArray[np.float64]:
    """[n, pos]: each node's activation at every token of the prompt."""
    found, frozen = traced.candidates, traced.frozen
    out = np.zeros((len(nodes), frozen.n))
    for i, node in enumerate(nodes):
        if node.kind == "neuron":
            out[i] = frozen.acts[node.layer][:, node.index].cpu().numpy()
        else:
            mine = torch.nonzero((found.layer == node.layer) & (found.index == node.index)).flatten()
            out[i, found.position[mine].cpu().numpy()] = found.activation[mine].cpu().numpy()
    return out


def _correlation(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return _cosine(rows - rows.mean(1, keepdims=True))


def _cosine(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit @ unit.T


def _overlap(sets: Sequence[set[str]]) -> NDArray[np.float64]:
    return np.array([[len(a & b) / max(len(a | b), 1) for b in sets] for a in sets])
