"""Rows read as a tree: same numbers as alone, shared beginnings once, and models that cannot are told apart."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.subject.phantom import CONFIGS, phantom
from brainscan.subject.score import log_probabilities
from brainscan.subject.tree import TokenTree, reads_trees, tree_logits

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
