"""Swapping the state of the wired model changes its capital; random nodes of the same size do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brainscan.circuits.basis import Neurons
from brainscan.circuits.swap import Concept, Place, make_transplant, mean_concept, read_concept, swap
from brainscan.circuits.targets import one_token
from brainscan.core.errors import UsageError
from tests.circuits.wired import CITY, wired

SUBJECT = wired()
DALLAS = Place(tuple(SUBJECT.tokens("xDxx")), CITY, one_token(SUBJECT, "A"))
OAKLAND = Place(tuple(SUBJECT.tokens("xOxx")), CITY, one_token(SUBJECT, "S"))
ANSWERS = (DALLAS.answer, OAKLAND.answer)


def read(place: Place) -> Concept:
    return read_concept(SUBJECT, place, Neurons(), ANSWERS)


def test_texas_becomes_california_and_austin_sacramento() -> None:
    transplant = make_transplant(read(DALLAS), read(OAKLAND))
    assert {node.id for node in transplant.nodes} == {"neuron 0.5", "neuron 0.6"}
    result = swap(SUBJECT, DALLAS, transplant, OAKLAND.answer, ("xDxx", "xOxx"))
    assert result.before[0].token == "A"
    assert result.after[0].token == "S"
    assert result.swapped
    assert result.control[0].token == "A"
    assert result.wanted_control <= result.wanted_before < result.wanted_after


def test_a_transplant_works_in_another_prompt() -> None:
    transplant = make_transplant(read(DALLAS), read(OAKLAND))
    other = Place(tuple(SUBJECT.tokens("xxxDx")), 3, DALLAS.answer)
    assert swap(SUBJECT, other, transplant, OAKLAND.answer, ("a", "b")).swapped


def test_the_control_has_the_norm_of_the_swap() -> None:
    transplant = make_transplant(read(DALLAS), read(OAKLAND), seed=3)
    for layer, vector in transplant.vectors.items():
        drawn = transplant.random[layer]
        assert float(drawn.norm()) == pytest.approx(float(vector.norm())) or float(drawn.norm()) == 0


def test_a_mean_of_readings_keeps_what_they_share() -> None:
    both = mean_concept([read(OAKLAND), read(Place(tuple(SUBJECT.tokens("xxOx")), 2, OAKLAND.answer))])
    transplant = make_transplant(read(DALLAS), both)
    assert {node.id for node in transplant.nodes} == {"neuron 0.5", "neuron 0.6"}
    assert swap(SUBJECT, DALLAS, transplant, OAKLAND.answer, ("xDxx", "xOxx")).swapped


def test_other_readings_may_choose_and_low_layers_may_be_left_alone() -> None:
    still = replace(read(DALLAS), standing=read(OAKLAND).standing)  # nothing in it differs, so nothing is moved
    transplant = make_transplant(still, read(OAKLAND), kinds=(read(DALLAS), read(OAKLAND)))
    assert {node.id for node in transplant.nodes} == {"neuron 0.5", "neuron 0.6"}
    assert all(node.change == 0 for node in transplant.nodes)
    with pytest.raises(UsageError, match="No node tells"):
        make_transplant(read(DALLAS), read(OAKLAND), first_layer=1)


def test_the_same_concept_cannot_be_swapped() -> None:
    with pytest.raises(UsageError, match="set against itself"):
        read_concept(SUBJECT, DALLAS, Neurons(), [DALLAS.answer])
    with pytest.raises(UsageError, match="same answer"):
        make_transplant(read(DALLAS), read(DALLAS))
    with pytest.raises(UsageError, match="No node tells"):
        make_transplant(read(DALLAS), read(Place(DALLAS.ids, CITY, OAKLAND.answer)))
    with pytest.raises(UsageError, match="not one concept"):
        mean_concept([read(DALLAS), read(OAKLAND)])
