"""Heads that carried an edge, and what made a head look."""

from __future__ import annotations

import pytest

from brainscan.circuits.build import build_graph
from brainscan.circuits.heads import why_looked, with_heads, with_looks
from brainscan.core.errors import UsageError
from tests.circuits.small import TEXT, graph, traced, wired_trace
from tests.circuits.wired import CITY, LAST, PROMPT


def test_the_wired_hop_was_carried_by_its_head() -> None:
    found = wired_trace()
    drawn = build_graph(found, PROMPT)
    hop = next(e for e in drawn.edges if (e.source, e.target) == (f"n0.5@{CITY}", f"n2.9@{LAST}"))
    carried = with_heads(found, drawn, [hop])
    heads = next(e.heads for e in carried.edges if e.source == hop.source and e.target == hop.target)
    assert [(h.layer, h.head, h.query, h.key) for h in heads] == [(1, 0, LAST, CITY)]
    assert heads[0].weight == pytest.approx(hop.weight, rel=1e-4)


def test_an_edge_that_changes_position_passes_heads_in_full() -> None:
    found, drawn = traced(nodes=60), graph(nodes=60)
    places = {node.id: node for node in drawn.nodes}
    crossing = next(
        e for e in drawn.edges
        if places[e.source].kind == "neuron" and places[e.target].layer == places[e.source].layer + 1
        and places[e.source].position != places[e.target].position and places[e.target].kind == "neuron"
    )  # fmt: skip
    carried = with_heads(found, drawn, [crossing], most=1000)
    heads = next(e.heads for e in carried.edges if (e.source, e.target) == (crossing.source, crossing.target))
    assert sum(head.weight for head in heads) == pytest.approx(crossing.weight, rel=1e-3)
    assert {(head.query, head.key) for head in heads} == {
        (places[crossing.target].position, places[crossing.source].position)
    }


def test_the_wired_head_looked_at_the_city() -> None:
    found = wired_trace()
    drawn = build_graph(found, PROMPT)
    told = with_looks(found, with_heads(found, drawn, drawn.edges))
    assert (told.looks[0].layer, told.looks[0].head) == (1, 0)
    assert (told.looks[0].query, told.looks[0].key) == (LAST, CITY)
    assert told.looks[0].probability == pytest.approx(1 / (LAST + 1), rel=1e-4)  # its attention is even
    assert with_looks(found, drawn).looks == ()


@pytest.mark.parametrize("family", ["llama", "phi3", "qwen3"])
def test_both_sides_of_a_look_add_up_to_its_score(family: str) -> None:
    look = why_looked(traced(family), 2, 1, 7, 3, most=100_000)
    assert sum(part.weight for part in look.query_side) == pytest.approx(look.score, abs=1e-4)
    assert sum(part.weight for part in look.key_side) == pytest.approx(look.score, abs=1e-4)
    assert 0 <= look.probability <= 1


def test_a_look_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="a key is not after its query"):
        why_looked(traced(), 1, 0, 2, len(TEXT) - 1)
    with pytest.raises(UsageError, match="no look of head 99"):
        why_looked(traced(), 99, 0, 2, 1)
