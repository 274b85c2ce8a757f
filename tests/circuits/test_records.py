"""Records: sound or refused; aggregates, differences and foreign graphs."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brainscan.circuits.aggregate import aggregate, place_free
from brainscan.circuits.diff import diff
from brainscan.circuits.exchange import (
    cantor,
    check_exchange,
    feature_files,
    from_exchange,
    read_exchange,
    to_exchange,
    uncantor,
    write_exchange,
)
from brainscan.circuits.graph import Edge, Graph, Node, read_graph, write_graph
from brainscan.circuits.supernodes import with_supernodes
from brainscan.core.errors import RecordError, UsageError
from tests.circuits.small import graph, traced


def test_a_circuit_survives_the_disk(tmp_path: Path) -> None:
    found = with_supernodes(traced(), graph())
    write_graph(tmp_path / "a.json", found)
    assert read_graph(tmp_path / "a.json") == found


@pytest.mark.parametrize("content", ["", "[]", "{", '{"schema": "brainscan.scan/1"}', "null", '{"a":' * 5000])
def test_what_is_no_circuit_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(RecordError):
        read_graph(tmp_path / "a.json")
    with pytest.raises(RecordError):
        read_graph(tmp_path / "none.json")


def test_a_circuit_that_contradicts_itself_is_refused() -> None:
    whole = graph().model_dump(by_alias=True)
    for change in (
        {"edges": [*whole["edges"], {"source": "n9.9@9", "target": "o0", "weight": 1.0}]},
        {"nodes": [*whole["nodes"], whole["nodes"][0]]},
        {"edges": [*whole["edges"], whole["edges"][0]]},
        {"tokens": ("a",)},
    ):
        with pytest.raises(ValidationError):
            Graph.model_validate({**whole, **change})


def test_the_strongest_come_first() -> None:
    found = graph()
    weights = [abs(edge.weight) for edge in found.inputs("o0")]
    assert weights == sorted(weights, reverse=True)
    assert found.outputs(found.inputs("o0")[0].source)
    with pytest.raises(RecordError, match="no node"):
        found.node("n99.1@0")


def test_what_is_in_every_circuit_is_stable_and_what_is_in_one_is_not() -> None:
    same = aggregate([graph(), graph()])
    assert same.jaccard == 1
    assert all(item.rate == 1 for item in same.nodes)
    other = aggregate([graph(), graph(text="Goodbye now")], least=0.9)
    assert other.jaccard < 1
    assert all(item.graphs == 2 for item in other.nodes)
    assert 0 <= other.replacement.lo <= other.replacement.hi <= 1


def test_an_aggregate_needs_two_circuits_of_one_model() -> None:
    with pytest.raises(UsageError, match="no stability"):
        aggregate([graph()])
    with pytest.raises(UsageError, match="different models"):
        aggregate([graph(), graph("gpt2")])


def test_a_circuit_does_not_differ_from_itself() -> None:
    same = diff(graph(), graph())
    assert (same.nodes, same.edges, same.jaccard) == ((), (), 1.0)
    changed = diff(graph(), graph(text="Hello you!"))
    assert changed.nodes
    assert "positions are left out" in changed.notes[0]
    assert abs(changed.nodes[0].difference) >= abs(changed.nodes[-1].difference)


def test_a_name_without_a_position() -> None:
    assert place_free(graph().inner[0]).startswith("neuron ")
    assert place_free(graph().outcomes[0]) == f"outcome {graph().outcomes[0].index}"


def test_a_second_graph_in_a_folder_leaves_the_first(tmp_path: Path) -> None:
    for slug in ("paris", "lyon", "paris"):
        write_exchange(tmp_path / "graphs", graph(), slug)
    listed = json.loads((tmp_path / "graphs" / "graph-metadata.json").read_text())["graphs"]
    assert [each["slug"] for each in listed] == ["lyon", "paris"]
    other = graph().model_copy(update={"tokens": ("Z", *graph().tokens[1:])})
    write_exchange(tmp_path / "graphs", other, "other")
    feature = json.loads(next((tmp_path / "graphs" / "features").iterdir()).read_text())
    examples = feature["examples_quantiles"][0]["examples"]
    assert [each["tokens"][0] for each in examples] == [graph().tokens[0], "Z"]
    assert read_exchange(tmp_path / "graphs" / "lyon.json").nodes


def test_a_foreign_graph_keeps_nodes_edges_and_scores(tmp_path: Path) -> None:
    ours = with_supernodes(traced(), graph())
    write_exchange(tmp_path / "out", ours, "hello")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"hello.json", "graph-metadata.json", "features"}
    back = read_exchange(tmp_path / "out" / "hello.json")
    assert len(back.nodes) == len(ours.nodes)
    assert sorted(edge.weight for edge in back.edges) == pytest.approx(sorted(edge.weight for edge in ours.edges))
    assert back.inner[0].index == ours.inner[0].index
    value = json.loads((tmp_path / "out" / "hello.json").read_text())
    assert len(value["qParams"]["supernodes"]) == len(ours.supernodes)
    for number in feature_files(ours):
        feature = json.loads((tmp_path / "out" / "features" / f"{number}.json").read_text())
        assert feature["index"] == number
        example = feature["examples_quantiles"][0]["examples"][0]
        assert len(example["tokens"]) == len(example["tokens_acts_list"])


def test_an_error_never_takes_the_id_of_a_feature() -> None:
    found = graph()
    error = next(node for node in found.nodes if node.kind == "error")
    twin = Node(
        id=f"n0.{error.layer}@{error.position}", kind="neuron", layer=0, position=error.position, index=error.layer
    )
    both = found.model_copy(
        update={
            "nodes": (*(n for n in found.nodes if n.id != twin.id), twin),
            "edges": (*(e for e in found.edges if twin.id not in (e.source, e.target)), Edge(source=twin.id, target="o0", weight=0.1)),
        }
    )  # fmt: skip
    ids = [node["node_id"] for node in check_exchange(to_exchange(both, "x"))["nodes"]]
    assert f"0_{error.layer}_{error.position}" in ids
    assert f"0_{error.layer}_{error.position}_error" in ids


@pytest.mark.parametrize("part", ["metadata", "nodes", "links", "qParams"])
def test_a_missing_key_is_named(part: str) -> None:
    value = to_exchange(graph(), "x")
    del value[part]
    with pytest.raises(RecordError, match=f"lacks {part}"):
        check_exchange(value)


def test_foreign_graphs_that_are_not_sound_are_refused(tmp_path: Path) -> None:
    value = to_exchange(graph(), "x")
    with pytest.raises(RecordError, match="stand for two nodes"):
        check_exchange({**value, "nodes": [*value["nodes"], value["nodes"][0]]})
    with pytest.raises(RecordError, match="names a node that is not there"):
        check_exchange({**value, "links": [{"source": "a", "target": "b", "weight": 1}]})
    with pytest.raises(RecordError, match="wrong kind"):
        from_exchange({**value, "nodes": [{**node, "ctx_idx": "?"} for node in value["nodes"]]})
    with pytest.raises(RecordError, match="no list"):
        check_exchange({**value, "nodes": {}})
    with pytest.raises(RecordError, match="no short name"):
        write_exchange(tmp_path, graph(), "../x")


def foreign(**changes: object) -> dict[str, Any]:
    """A token, two features and an outcome of theirs, in a row; ``changes`` replaces fields of the second feature."""
    kinds = (("E_7_0", "embedding", "E"), ("0_3_1", "cross layer transcoder", "0"), ("1_4_1", "cross layer transcoder", "1"),
             ("3_9_1", "logit", "3"))  # fmt: skip
    nodes: list[dict[str, Any]] = [
        {"node_id": id, "feature": cantor(int(layer), 3) if layer in "01" else 0, "layer": layer, "ctx_idx": int(id[-1]),
         "feature_type": kind, "jsNodeId": id, "clerp": "", "token_prob": 1.0}
        for id, kind, layer in kinds
    ]  # fmt: skip
    nodes[2] |= changes
    ids = [node["node_id"] for node in nodes]
    links = [{"source": s, "target": t, "weight": 1.0} for s, t in pairwise(ids)]
    meta = {"slug": "x", "scan": "m", "prompt_tokens": ["a", "b"], "prompt": "ab"}
    return {"metadata": meta, "qParams": {}, "nodes": nodes, "links": links}


def test_links_that_go_in_circles_are_refused_and_end() -> None:
    value = foreign()
    assert len(from_exchange(value).edges) == 3
    value["links"].append({"source": "1_4_1", "target": "0_3_1", "weight": 1.0})
    with pytest.raises(RecordError, match="in circles"):
        from_exchange(value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"node_id": "E", "feature_type": "embedding"}, "wrong kind"),
        ({"node_id": ["1_4_1"]}, "no text"),
        ({"ctx_idx": 9}, "outside the prompt"),
        ({"layer": float("inf"), "feature_type": "mlp reconstruction error"}, "wrong kind"),
        ({"activation": float("nan")}, "not sound: activation"),
    ],
)
def test_nodes_that_nobody_writes_are_refused_in_one_sentence(changes: dict[str, object], words: str) -> None:
    with pytest.raises(RecordError, match=words):
        from_exchange(foreign(**changes))


def test_two_errors_at_one_place_and_odd_settings_are_refused() -> None:
    value = foreign(feature_type="mlp reconstruction error")
    value["nodes"].append({**value["nodes"][2], "node_id": "again"})
    with pytest.raises(RecordError, match="same part"):
        from_exchange(value)
    odd = foreign()
    odd["metadata"]["pruning_settings"] = [1]
    with pytest.raises(RecordError, match="wrong kind"):
        from_exchange(odd)
    odd["metadata"]["pruning_settings"] = {"node_threshold": 7}
    with pytest.raises(RecordError, match="node_threshold"):
        from_exchange(odd)
    odd["links"][0]["source"] = {}
    with pytest.raises(RecordError, match="no text"):
        from_exchange(odd)


@given(st.integers(0, 200), st.integers(0, 200_000))
def test_two_numbers_survive_as_one(a: int, b: int) -> None:
    assert uncantor(cantor(a, b)) == (a, b)
