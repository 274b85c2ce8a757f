"""The known path of a hand-wired model is found, and effects are what an edit of the frozen model does."""

from __future__ import annotations

import pytest
import torch

from brainscan.circuits.attribute import trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Settings
from brainscan.circuits.targets import chosen_tokens, direction, logit_difference, one_token
from brainscan.circuits.validate import outcome_change
from brainscan.core.errors import InputError, UsageError
from brainscan.subject.phantom import phantom
from tests.circuits.small import TEXT, graph, traced, wired_trace
from tests.circuits.wired import CITY, LAST, PROMPT, wired


def test_both_hops_of_the_wired_model_are_found_and_nothing_else() -> None:
    found = build_graph(wired_trace(), PROMPT)
    assert found.outcomes[0].label == "A"
    assert {node.id for node in found.inner} == {f"n0.5@{CITY}", f"n2.9@{LAST}"}
    edges = {(edge.source, edge.target) for edge in found.edges}
    assert {(f"t{CITY}", f"n0.5@{CITY}"), (f"n0.5@{CITY}", f"n2.9@{LAST}"), (f"n2.9@{LAST}", "o0")} <= edges
    assert found.node(f"n2.9@{LAST}").promotes[0] == "A"


def test_direct_effects_are_those_of_an_edit_in_the_frozen_model() -> None:
    found = traced("gemma2")
    ids = found.picked[:12]
    changes = {}
    for layer, vectors in found.candidates.outputs(ids).items():
        changes[layer] = torch.zeros(len(ids), found.frozen.n, vectors.shape[1])
        changes[layer][torch.arange(len(ids)), found.candidates.position[ids]] = -vectors
    measured = outcome_change(found, changes, "all")
    predicted = -(found.weights @ found.rows[len(found.picked) :, :12])
    torch.testing.assert_close(measured, predicted, atol=1e-4, rtol=1e-4)


def test_what_is_not_picked_is_error_and_the_sum_stays() -> None:
    few, many = traced(nodes=5), traced(nodes=60)
    targets = len(few.outcome.targets)
    torch.testing.assert_close(few.rows[-targets:].sum(1), many.rows[-targets:].sum(1), atol=1e-4, rtol=1e-4)
    assert graph(nodes=5).scores.replacement < graph(nodes=60).scores.replacement


def test_the_same_prompt_gives_the_same_graph() -> None:
    subject = phantom("llama")
    again = build_graph(trace(subject, subject.tokens(TEXT), Neurons(), Settings(nodes=40)), TEXT)
    assert again == graph()


def test_nothing_is_a_node_at_the_first_position_unless_asked() -> None:
    subject = phantom("llama")
    free = trace(subject, subject.tokens(TEXT), Neurons(), Settings(nodes=200, skip_first=False))
    assert int(traced().candidates.position.min()) == 1
    assert int(free.candidates.position.min()) == 0


def test_a_small_batch_gives_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brainscan.circuits.attribute.BUDGET_BYTES", 1)
    subject = phantom("llama")
    one = trace(subject, subject.tokens(TEXT), Neurons(), Settings(nodes=40))
    torch.testing.assert_close(one.rows, traced().rows, atol=1e-5, rtol=1e-4)


def test_a_logit_difference_is_the_difference_of_its_tokens() -> None:
    subject = phantom("llama")
    ids = subject.tokens(TEXT)
    settings = Settings(nodes=1000, skip_first=False)
    a, b = one_token(subject, "a"), one_token(subject, "b")
    both = trace(subject, ids, Neurons(), settings, lambda s, logits, p: chosen_tokens(s, logits, p, [a, b]))
    gap = trace(subject, ids, Neurons(), settings, lambda s, logits, p: logit_difference(s, logits, p, a, b))
    torch.testing.assert_close(gap.rows[-1].sum(), both.rows[-2].sum() - both.rows[-1].sum(), atol=1e-4, rtol=1e-4)


def test_any_direction_can_be_the_outcome() -> None:
    subject = wired()
    state = torch.eye(32)[2]
    found = trace(
        subject,
        subject.tokens(PROMPT),
        Neurons(),
        Settings(nodes=10),
        lambda s, logits, p: direction(s, "resid_post.0", CITY, state, "state"),
    )
    drawn = build_graph(found, PROMPT)
    assert [node.id for node in drawn.inner] == [f"n0.5@{CITY}"]


def test_wrong_outcomes_are_said() -> None:
    subject = phantom("llama")
    with pytest.raises(InputError, match="2 tokens"):
        one_token(subject, "ab")
    with pytest.raises(UsageError, match="set against itself"):
        logit_difference(subject, torch.zeros(128), 0, 5, 5)
    with pytest.raises(UsageError, match="no plain direction"):
        direction(subject, "head_out.1", 0, torch.zeros(32), "x")
    with pytest.raises(UsageError, match="Nothing is active"):
        trace(subject, [7], Neurons(), Settings())
