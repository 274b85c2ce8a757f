"""Graphs for and from circuit-tracer's page and Neuronpedia: their graph JSON, and feature files beside it.

Writers there name an error node ``0_{layer}_{position}``, which can also be feature ``layer`` of layer 0: where that
happens here, the error's id gets an ending. Influence there is cumulative: low is important.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from brainscan.circuits.graph import Counts, Edge, Graph, Node, Settings, read_json, strongest
from brainscan.circuits.scores import Weighted, graph_scores, influence
from brainscan.core.errors import RecordError
from brainscan.core.evidence import said_of
from brainscan.core.files import folder_atomic, write_atomic
from brainscan.core.visible import visible

VIRTUAL = 10_000_000
"""Outcomes that are no token count from here."""
_LIST = "graph-metadata.json"
_REQUIRED = {
    "": ("metadata", "qParams", "nodes", "links"),
    "metadata": ("slug", "scan", "prompt_tokens", "prompt"),
    "nodes": ("node_id", "feature", "layer", "ctx_idx", "feature_type", "jsNodeId", "clerp"),
    "links": ("source", "target", "weight"),
}
_TYPES = {"neuron": "cross layer transcoder", "feature": "cross layer transcoder", "error": "mlp reconstruction error",
          "token": "embedding", "outcome": "logit"}  # fmt: skip


def to_exchange(graph: Graph, slug: str, scan: str | None = None) -> dict[str, Any]:
    """The graph as circuit-tracer and Neuronpedia read it.

    Args:
        slug: its short name there.
        scan: the model id there; the subject's name by default.
    """
    ids = _foreign_ids(graph)
    settings = graph.settings
    return {
        "metadata": {
            "slug": slug,
            "scan": scan or graph.subject,
            "transcoder_list": [],
            "prompt_tokens": list(graph.tokens),
            "prompt": graph.prompt,
            "node_threshold": settings.node_threshold,
            "schema_version": 1,
            "info": {
                "description": f"{graph.outcome}; basis {settings.basis}",
                "generator": {
                    "name": "brainscan",
                    "version": graph.versions.brainscan if graph.versions else "unknown",
                    "url": "https://pypi.org/project/brainscan/",
                },
            },
            "generation_settings": {
                "max_n_logits": settings.most_outcomes,
                "desired_logit_prob": settings.outcome_probability,
                "max_feature_nodes": settings.nodes,
            },
            "pruning_settings": {"node_threshold": settings.node_threshold, "edge_threshold": settings.edge_threshold},
        },
        "qParams": {
            "pinnedIds": [],
            "supernodes": [[group.name, *(ids[member] for member in group.members)] for group in graph.supernodes],
            "linkType": "both",
            "clickedId": "",
            "sg_pos": "",
        },
        "nodes": [_foreign_node(node, ids[node.id], graph) for node in graph.nodes],
        "links": [{"source": ids[e.source], "target": ids[e.target], "weight": e.weight} for e in graph.edges],
    }


def check_exchange(value: Any) -> dict[str, Any]:
    """The same value, if it is a sound graph of theirs.

    Raises:
        RecordError: a required key is missing, an id is no text, two nodes share one, or a link names a node that is not there.
    """
    if not isinstance(value, dict):
        raise RecordError("The graph is no JSON object.", "Name a graph of circuit-tracer or Neuronpedia.")
    _has(value, "", "the graph")
    _has(value["metadata"], "metadata", "its metadata")
    for part in ("nodes", "links"):
        if not isinstance(value[part], list):
            raise RecordError(f"{part} of the graph is no list.", "Export the graph again.")
        for item in value[part]:
            _has(item, part, f"one of its {part}")
    ids = [node["node_id"] for node in value["nodes"]]
    named = [link[end] for link in value["links"] for end in ("source", "target")]
    if any(not isinstance(id, str) for id in (*ids, *named)):
        raise RecordError("An id in the graph is no text.", "Export the graph again.")
    if twice := [id for id, times in Counter(ids).items() if times > 1]:
        raise RecordError(
            f"{len(twice)} node ids stand for two nodes each, first {visible(min(twice), keep='', limit=60)}.",
            "The writer named an error like a feature of layer 0; export it with brainscan circuit export.",
        )
    if not set(named) <= set(ids):
        raise RecordError("A link of the graph names a node that is not there.", "Export the graph again.")
    return value


def from_exchange(value: Any) -> Graph:
    """A graph of theirs as ours; what theirs does not say (settings, tests) is left at its default.

    Raises:
        RecordError: it is not sound (``check_exchange``), names a node in a way that nobody writes, goes in circles, or
            would be no sound graph of ours.
    """
    value = check_exchange(value)
    meta, found = value["metadata"], value["nodes"]
    try:
        tokens = tuple(str(token) for token in meta["prompt_tokens"])
        last = max((int(node["layer"]) for node in found if str(node["layer"]).isdigit()), default=1)
        nodes = {node["node_id"]: _own_node(node, last, i) for i, node in enumerate(found)}
        if len({node.id for node in nodes.values()}) < len(nodes):
            raise RecordError("Two nodes of the graph are the same part of the model.", "Export the graph again.")
        edges = [(e["source"], e["target"], float(e["weight"])) for e in value["links"]]
        return _graph(meta, tokens, nodes, edges, last)
    except ValidationError as error:
        raise RecordError(f"The graph is not sound: {said_of(error)}.", "Export the graph again.") from error
    except (TypeError, ValueError, AttributeError, LookupError, OverflowError) as error:
        raise RecordError("The graph holds a value of the wrong kind.", "Export the graph again.") from error


def write_exchange(path: Path, graph: Graph, slug: str, scan: str | None = None) -> None:
    """Write ``{slug}.json``, ``graph-metadata.json`` and ``features/`` into a folder, whole or not at all.

    Graphs that were exported there before stay.

    Raises:
        RecordError: the graph would not be sound for them, or the list of graphs there cannot be read.
        StorageError: something else is in the folder, or the disk refused.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", slug):
        raise RecordError(f"{slug!r} is no short name.", "Use letters, digits, - and _.")
    value = check_exchange(to_exchange(graph, slug, scan))
    others = _others(path, slug)
    with folder_atomic(path, _LIST) as folder:
        if others:
            shutil.copytree(path, folder, dirs_exist_ok=True)
        write_atomic(folder / f"{slug}.json", json.dumps(value, indent=1) + "\n")
        write_atomic(folder / _LIST, json.dumps({"graphs": [*others, value["metadata"]]}, indent=1) + "\n")
        for index, feature in feature_files(graph).items():
            file = folder / "features" / f"{index}.json"
            write_atomic(file, json.dumps(_beside_known(file, feature)) + "\n")


def _beside_known(file: Path, feature: dict[str, Any]) -> dict[str, Any]:
    """The feature with the examples that earlier graphs of the folder gave for it."""
    if not file.is_file():
        return feature
    known = read_json(file)
    if known.get("transcoder_id") != feature["transcoder_id"]:
        raise RecordError("The folder holds graphs over another basis.", "Export into another folder.")
    quantiles = known.get("examples_quantiles")
    before = quantiles[0].get("examples") if isinstance(quantiles, list) and quantiles else None
    if not isinstance(before, list):
        raise RecordError(f"{file.name} is no feature file.", "Export into another folder.")
    mine = feature["examples_quantiles"][0]["examples"]
    spans = [(known.get(key), feature[key]) for key in ("act_min", "act_max")]
    low, high = ([value for value in span if isinstance(value, int | float)] for span in spans)
    rest = [example for example in before if isinstance(example, dict) and example.get("tokens") != mine[0]["tokens"]]
    merged = [{**feature["examples_quantiles"][0], "quantile_name": "these prompts", "examples": [*rest, *mine]}]
    return {**feature, "examples_quantiles": merged, "act_min": min(low), "act_max": max(high)}


def _others(path: Path, slug: str) -> list[dict[str, Any]]:
    """What the folder's list says of graphs of other names; empty where there is no list."""
    if not (path / _LIST).is_file():
        return []
    listed = read_json(path / _LIST).get("graphs")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise RecordError(f"{path / _LIST} is no list of graphs.", "Export into another folder.")
    return [each for each in listed if each.get("slug") != slug]


def read_exchange(path: Path) -> Graph:
    """Read a graph of theirs.

    Raises:
        RecordError: none is there, or it is not sound.
    """
    return from_exchange(read_json(path))


def feature_files(graph: Graph) -> dict[int, dict[str, Any]]:
    """Number in the graph -> a feature file in Anthropic's form; the one example is the graph's own prompt."""
    found: dict[int, dict[str, Any]] = {}
    for node in graph.inner:
        number = cantor(node.layer, node.index)
        acts = [0.0] * len(graph.tokens)
        for other in graph.inner:
            if (other.layer, other.index) == (node.layer, node.index):
                acts[other.position] = other.activation
        found[number] = {
            "index": number,
            "transcoder_id": f"{graph.settings.basis}-{node.layer}",
            "examples_quantiles": [
                {
                    "quantile_name": "this prompt",
                    "examples": [
                        {"tokens": list(graph.tokens), "tokens_acts_list": acts, "train_token_ind": node.position,
                         "is_repeated_datapoint": False}
                    ],
                }
            ],
            "top_logits": list(node.promotes),
            "bottom_logits": [],
            "act_min": min(acts),
            "act_max": max(acts),
        }  # fmt: skip
    return found


def cantor(a: int, b: int) -> int:
    """One number for two (Cantor's pairing)."""
    return (a + b) * (a + b + 1) // 2 + b


def uncantor(number: int) -> tuple[int, int]:
    """The two numbers of one."""
    from math import isqrt

    total = (isqrt(8 * number + 1) - 1) // 2
    b = number - total * (total + 1) // 2
    return total - b, b


def _foreign_ids(graph: Graph) -> dict[str, str]:
    ids = {node.id: _foreign_id(node, graph) for node in graph.nodes if node.kind != "error"}
    taken = set(ids.values())
    for node in graph.nodes:
        if node.kind == "error":
            wanted = f"0_{node.layer}_{node.position}"
            ids[node.id] = f"{wanted}_error" if wanted in taken else wanted
    return ids


def _foreign_id(node: Node, graph: Graph) -> str:
    if node.kind == "token":
        return f"E_{node.index}_{node.position}"
    if node.kind == "outcome":
        return f"{graph.n_layers + 1}_{_outcome_index(node, graph)}_{node.position}"
    return f"{node.layer}_{node.index}_{node.position}"


def _outcome_index(node: Node, graph: Graph) -> int:
    place = int(node.id[1:])
    same = [other.index for other in graph.outcomes].count(node.index) > 1
    return VIRTUAL + place if same or node.index == place else node.index


def _foreign_node(node: Node, id: str, graph: Graph) -> dict[str, Any]:
    layer: str = {"token": "E", "outcome": str(graph.n_layers + 1)}.get(node.kind, str(node.layer))
    number = {
        "error": -1,
        "token": node.position,
        "outcome": _outcome_index(node, graph) if node.kind == "outcome" else 0,
    }
    is_outcome = node.kind == "outcome"
    return {
        "node_id": id,
        "feature": number.get(node.kind, cantor(node.layer, node.index) if node.layer >= 0 and node.index >= 0 else -1),
        "layer": layer,
        "ctx_idx": node.position,
        "feature_type": _TYPES[node.kind],
        "token_prob": node.activation if is_outcome and 0 <= node.activation <= 1 else 0.0,
        "is_target_logit": is_outcome and node.id == "o0",
        "run_idx": 0,
        "reverse_ctx_idx": 0,
        "jsNodeId": f"{'L' if is_outcome else layer}_{node.index if node.index >= 0 else node.position}-{node.position}",
        "clerp": f'Output "{node.label}" (p={node.activation:.3f})' if is_outcome else node.label,
        "influence": None if is_outcome else node.cumulative,
        "activation": node.activation if node.kind in ("neuron", "feature") else None,
    }


def _own_node(node: dict[str, Any], last: int, order: int) -> Node:
    kind, position, influence = str(node["feature_type"]), int(node["ctx_idx"]), node.get("influence")
    shared = {
        "position": position,
        "label": str(node["clerp"] or ""),
        "cumulative": 1.0 if influence is None else float(influence),
    }
    parts = str(node["node_id"]).split("_")
    if kind == "embedding":
        return Node(id=f"t{position}", kind="token", layer=-1, index=int(parts[1]), **shared)
    if kind == "logit":
        return Node(
            id=f"o{order}", kind="outcome", layer=last, index=int(parts[1]),
            activation=float(node.get("token_prob") or 0.0), **shared,
        )  # fmt: skip
    layer = int(node["layer"])
    if "error" in kind:
        return Node(id=f"e{layer}@{position}", kind="error", layer=layer, index=-1, **shared)
    index = uncantor(int(node["feature"]))[1] if node["feature"] is not None else int(parts[1])
    return Node(
        id=f"f{layer}.{index}@{position}", kind="feature", layer=layer, index=index,
        activation=float(node.get("activation") or 0.0), **shared,
    )  # fmt: skip


def _graph(
    meta: dict[str, Any],
    tokens: tuple[str, ...],
    nodes: dict[str, Node],
    links: list[tuple[str, str, float]],
    last: int,
) -> Graph:
    entering: dict[str, float] = {}
    for _, target, weight in links:
        entering[target] = entering.get(target, 0.0) + abs(weight)
    edges = strongest(
        Edge(source=nodes[s].id, target=nodes[t].id, weight=w, share=abs(w) / max(entering[t], 1e-12))
        for s, t, w in links
    )
    columns = {node.id: i for i, node in enumerate(_in_columns(list(nodes.values())))}
    weighted = _weighted(list(nodes.values()), columns, edges)
    reached = [*influence(weighted.shares(), weighted.weights, weighted.k).tolist(), 0.0]
    nodes = {id: node.model_copy(update={"influence": reached[columns.get(node.id, -1)]}) for id, node in nodes.items()}
    pruning = meta.get("pruning_settings") or {}
    ids = {node.position: node.index for node in nodes.values() if node.kind == "token"}
    return Graph(
        subject=str(meta["scan"]), n_layers=last, prompt=str(meta["prompt"]), tokens=tokens,
        token_ids=tuple(ids.get(i, -1) for i in range(len(tokens))), outcome="as the foreign graph has it",
        settings=Settings(basis="foreign", node_threshold=pruning.get("node_threshold", 0.8),
                          edge_threshold=pruning.get("edge_threshold", 0.98)),
        nodes=tuple(nodes.values()), edges=edges, scores=graph_scores(weighted),
        counts=Counts(candidates=len(nodes), attributed=len(nodes), nodes_before=len(nodes), edges_before=len(edges),
                      inner_influence=0.0, influence_kept=1.0),
        notes=("Read from a foreign graph: its scores are those of what is left after its pruning.",),
    )  # fmt: skip


_KINDS = {"neuron": 0, "feature": 0, "error": 1, "token": 2, "outcome": 3}


def _in_columns(nodes: list[Node]) -> list[Node]:
    """Sources in the order of columns: neurons and features, errors, tokens."""
    return sorted((node for node in nodes if node.kind != "outcome"), key=lambda node: _KINDS[node.kind])


def _weighted(nodes: list[Node], columns: dict[str, int], edges: tuple[Edge, ...]) -> Weighted:
    """The graph's edges as arrays, for its scores."""
    inner = [node for node in _in_columns(nodes) if _KINDS[node.kind] == 0]
    outcomes = [node for node in nodes if node.kind == "outcome"]
    rows = {node.id: i for i, node in enumerate([*inner, *outcomes])}
    matrix = np.zeros((len(rows), len(columns)), np.float32)
    for edge in edges:
        if edge.source in columns and edge.target in rows:
            matrix[rows[edge.target], columns[edge.source]] = edge.weight
    weights = np.array([max(node.activation, 0.0) for node in outcomes], np.float32)
    weights = weights if weights.sum() > 0 else np.ones_like(weights)
    tokens = sum(node.kind == "token" for node in nodes)
    return Weighted(matrix, weights / max(float(weights.sum()), 1e-12), len(inner), tokens)


def _has(value: Any, part: str, words: str) -> None:
    missing = [key for key in _REQUIRED[part] if not isinstance(value, dict) or key not in value]
    if missing:
        raise RecordError(
            f"{words.capitalize()} lacks {', '.join(missing)}.", "Name a graph of circuit-tracer or Neuronpedia."
        )
