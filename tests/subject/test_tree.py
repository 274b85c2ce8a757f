"""Rows read as a tree: same numbers as alone, shared beginnings once, and models that cannot are told apart."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.subject.phantom import CONFIGS, phantom
from brainscan.subject.score import log_probabilities
from brainscan.subject.tree import TokenTree, reads_trees, shared_blocks, tree_logits, tree_stream

ROWS = st.lists(st.lists(st.integers(3, 9), min_size=1, max_size=6), min_size=1, max_size=6)


@given(ROWS)
def test_every_row_can_be_read_back_and_shared_beginnings_are_stored_once(rows: list[list[int]]) -> None:
    tree = TokenTree.of(rows)
    assert [[tree.ids[node] for node in path] for path in tree.paths] == rows
    assert len(tree.ids) == len({tuple(row[:n]) for row in rows for n in range(1, len(row) + 1)})
    assert tree.depth == max(map(len, rows))


@given(ROWS)
def test_a_token_sees_its_row_up_to_itself_and_nothing_else(rows: list[list[int]]) -> None:
    tree = TokenTree.of(rows)
    sees = tree.sees()
    for path in tree.paths:
        for place, node in enumerate(path):
            assert sees[node].nonzero().flatten().tolist() == sorted(path[: place + 1])


@settings(max_examples=20, deadline=None)
@given(ROWS)
def test_a_tree_reads_like_single_rows(rows: list[list[int]]) -> None:
    subject = phantom("llama")
    tree = TokenTree.of(rows)
    with torch.no_grad():
        together = tree_logits(subject, tree, [path[-1] for path in tree.paths])
    alone = torch.cat([subject.logits(subject.batch([row]))[0] for row in rows])
    assert torch.allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gptj", "qwen2"])
def test_streams_of_a_tree_are_those_of_single_rows(family: str) -> None:
    subject = phantom(family)
    rows = [[3, 5, 7], [3, 5, 8, 4], [6]]
    tree = TokenTree.of(rows)
    streams = tree_stream(subject, tree, 1).streams[0]
    site = Site("resid_post", 1)
    alone = capture(subject, rows, [site], keep="last")[site].values
    assert torch.allclose(streams[[path[-1] for path in tree.paths]], alone, atol=1e-4)
    assert len(tree.ids) == len(streams)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gptj"])
def test_a_fine_tune_goes_on_where_its_base_ends_to_be_equal(family: str) -> None:
    base, tuned = phantom(family), phantom(family)
    blocks = tuned.body.get_submodule(tuned.family.layers)
    with torch.no_grad():
        next(blocks[2].parameters()).add_(0.5)  # type: ignore[index]
    assert shared_blocks(tuned, base) == 2
    assert shared_blocks(base, phantom(family)) == base.n_layers
    tree = TokenTree.of([[3, 5, 7], [3, 5, 8, 4], [6]])
    ends = [path[-1] for path in tree.paths]
    with torch.no_grad():
        whole = tree_logits(tuned, tree, ends)
        resumed = tree_logits(tuned, tree, ends, tree_stream(base, tree, 1))
    assert torch.allclose(whole, resumed, atol=1e-5)
    assert torch.equal(tree_logits(tuned, tree, ends), whole)


def test_different_models_share_nothing() -> None:
    assert shared_blocks(phantom("llama"), phantom("gpt2")) == 0


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_scores_are_the_same_whether_or_not_a_model_reads_trees(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom(family)
    prompts = [subject.tokens(text) for text in ("one two", "one two", "one", "another beginning")]
    answers = [subject.raw_tokens(text) for text in (" a b", " a c", " d", " e")]
    values = log_probabilities(subject, prompts, answers)
    monkeypatch.setattr("brainscan.subject.score.reads_trees", lambda subject, longest: False)
    assert log_probabilities(subject, prompts, answers) == pytest.approx(values, abs=1e-3)


def test_models_without_a_place_for_the_mask_and_rows_beyond_a_window_are_told_apart() -> None:
    assert reads_trees(phantom("llama"), 1000)
    assert not reads_trees(phantom("bloom"), 5)
    windowed = phantom("gemma3_text")
    assert not reads_trees(windowed, windowed.config.sliding_window + 1)
