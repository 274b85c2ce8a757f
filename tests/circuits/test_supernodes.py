"""Groups without hands: alike nodes join, a name comes from what they promote, the story follows the wired path."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.circuits.build import build_graph
from brainscan.circuits.supernodes import effect_profiles, group_names, likeness, told_word, with_supernodes
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
    alike = likeness(traced(nodes=60), nodes, effect_profiles(drawn))
    np.testing.assert_allclose(alike, alike.T, atol=1e-9)
    assert alike.min() >= 0
    assert alike.max() <= 1 + 1e-9


@pytest.mark.parametrize(
    ("raised", "word"),
    [
        (("\n", "ish", " Texas", " Dallas"), "Texas"),
        (("...", "ish", "!"), "ish"),
        (("...", "!"), "Dallas"),
    ],
)
def test_a_group_is_named_by_the_first_whole_word(raised: tuple[str, ...], word: str) -> None:
    assert told_word(raised, " Dallas") == word


def test_a_group_that_works_against_the_outcome_says_so() -> None:
    drawn = graph(nodes=60)
    for_it = [node for node in drawn.inner if (node.effect or 0) < 0][:1]
    against = [node for node in drawn.inner if (node.effect or 0) > 0][:1]
    names = group_names(traced(nodes=60), [for_it, against], drawn)
    assert not names[0].startswith("against ")
    assert names[1].startswith("against ")
