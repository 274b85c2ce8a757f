"""Groups without hands: alike nodes join, a name comes from what they promote, the story follows the wired path."""

from __future__ import annotations

import numpy as np

from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Node
from brainscan.circuits.supernodes import _effect_profiles, group_name, likeness, with_supernodes
from tests.circuits.small import graph, traced, wired_trace
from tests.circuits.wired import PROMPT


def test_the_wired_story_is_the_wired_path() -> None:
    found = with_supernodes(wired_trace(), build_graph(wired_trace(), PROMPT))
    assert found.story is not None
    steps = found.story.line.split(" -> ")
    assert steps[0] == "D"
    assert steps[-1] == "A"
    assert len(steps) == 4
    assert found.story.explained > 0.99


def test_every_inner_node_is_in_one_group() -> None:
    found = with_supernodes(traced(nodes=60), graph(nodes=60))
    members = [member for group in found.supernodes for member in group.members]
    assert sorted(members) == sorted(node.id for node in found.inner)
    assert len({group.id for group in found.supernodes}) == len(found.supernodes)


def test_groups_stay_at_one_position() -> None:
    found = with_supernodes(traced(nodes=60), graph(nodes=60), alike=0.0)
    places = {node.id: node.position for node in found.nodes}
    assert all(len({places[member] for member in group.members}) == 1 for group in found.supernodes)


def test_likeness_is_a_likeness() -> None:
    drawn = graph(nodes=60)
    nodes = [node for node in drawn.inner if node.position == drawn.inner[0].position]
    alike = likeness(traced(nodes=60), nodes, _effect_profiles(drawn))
    np.testing.assert_allclose(alike, alike.T, atol=1e-9)
    assert alike.min() >= 0
    assert alike.max() <= 1 + 1e-9


def test_a_group_is_named_by_its_most_influential_word() -> None:
    def node(words: tuple[str, ...], influence: float) -> Node:
        return Node(
            id=f"n0.{influence}@1", kind="neuron", layer=0, position=1, index=0, influence=influence, promotes=words
        )

    assert group_name([node((" Texas", " Dallas"), 0.5), node((" Ohio",), 0.2)], "x") == "Texas"
    assert group_name([node(("...", "!"), 0.5)], " Dallas") == "Dallas"
