"""Edits confirm what is so and refute what is not."""

from __future__ import annotations

import pytest
import torch

from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import EditTest
from brainscan.circuits.play import play
from brainscan.circuits.validate import Trial, correlation, outcome_change, validate
from brainscan.core.errors import UsageError
from brainscan.core.evidence import Status
from brainscan.report.circuit import circuit_html, words_of_tests
from tests.circuits.small import graph, traced, wired_trace
from tests.circuits.wired import CITY, LAST, PROMPT


def test_both_hops_of_the_wired_model_hold() -> None:
    found = wired_trace()
    tested = validate(found, build_graph(found, PROMPT))
    for id in (f"n0.5@{CITY}", f"n2.9@{LAST}"):
        node = tested.node(id)
        assert node.test is not None and node.test.held
        assert node.status is Status.VALIDATED
        assert node.test.measured == pytest.approx(node.test.predicted, rel=0.2)
    assert tested.validation is not None
    assert tested.validation.nodes_held == 2


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "falcon"])
def test_small_edits_do_what_the_gradient_says(family: str) -> None:
    found = traced(family, nodes=60)
    trial = Trial(nodes=40, edges=0, controls=1, factor=0.95, predict="gradient")
    checked = validate(found, graph(family, nodes=60), trial).validation
    assert checked is not None and checked.nodes_r is not None
    assert checked.nodes_r >= 0.99


def test_what_the_gradient_said_does_not_validate_the_graph() -> None:
    found = wired_trace()
    drawn = build_graph(found, PROMPT)
    tested = validate(found, drawn, Trial(factor=0.95, predict="gradient", hold="scales"))
    node = tested.node(f"n2.9@{LAST}")
    assert node.test is not None and node.test.held and node.status is Status.INTERVENED
    assert "says nothing of the graph" in words_of_tests(tested)
    assert "says nothing of the graph" not in words_of_tests(validate(found, drawn))
    assert "attention patterns and norms held, and measures" in circuit_html(tested)


def test_a_wrong_claim_fails() -> None:
    found = wired_trace()
    drawn = build_graph(found, PROMPT)
    last = drawn.node(f"n2.9@{LAST}")
    edges = tuple(e.model_copy(update={"weight": -e.weight}) if e.source == last.id else e for e in drawn.edges)
    tested = validate(found, drawn.model_copy(update={"edges": edges}))
    wrong = next(edge for edge in tested.edges if edge.source == last.id)
    assert wrong.test is not None and wrong.test.held is False
    assert wrong.status is Status.ATTRIBUTED


def test_playing_the_tape_without_a_change_is_the_same_run() -> None:
    for family in ("llama", "opt", "bloom"):
        frozen = traced(family).frozen
        site = traced(family).outcome.targets[0].site
        still = {0: torch.zeros(3, *frozen.outputs[0].shape)}
        for hold in ("nothing", "patterns", "scales", "mlps", "all"):
            played = play(frozen, still, [site], hold)[site]  # type: ignore[arg-type]
            torch.testing.assert_close(played, frozen.tensors[site].detach().expand_as(played), atol=1e-3, rtol=1e-3)


def test_a_longer_batch_is_split_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found = traced()
    changes = {1: torch.randn(7, *found.frozen.outputs[0].shape, generator=torch.Generator().manual_seed(0))}
    whole = outcome_change(found, changes, "patterns")
    monkeypatch.setattr("brainscan.circuits.play.ROWS_TOKENS", 1)
    torch.testing.assert_close(outcome_change(found, changes, "patterns"), whole, atol=1e-5, rtol=1e-4)


def test_what_cannot_be_tested_is_said() -> None:
    with pytest.raises(UsageError, match="changes nothing"):
        validate(traced(), graph(), Trial(factor=1.0))
    with pytest.raises(UsageError, match="beyond the numbers"):
        validate(traced(), graph(), Trial(factor=1e38))
    with pytest.raises(UsageError, match="not of this prompt"):
        validate(wired_trace(), graph())


def test_correlation_is_silent_where_it_says_nothing() -> None:
    one = EditTest(what="ablate", predicted=1, measured=1, control=0, controls=1, held=True)
    assert correlation([one, one]) is None
    assert correlation([one, one, one]) is None
    assert correlation([one, one.model_copy(update={"predicted": 2.0, "measured": 2.0}), one]) == pytest.approx(1)
