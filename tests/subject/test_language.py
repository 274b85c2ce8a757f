"""A subject's own manners: what it offers, what it refuses, and how it counts tokens."""

from __future__ import annotations

import pytest

from brainscan.core.address import Site
from brainscan.core.errors import InputError, MissingChatTemplate, SiteUnavailable
from brainscan.subject.phantom import phantom

SUBJECT = phantom("llama")


def test_layers_are_spread_over_depth_without_the_ends() -> None:
    layers = SUBJECT.spread_layers(2)
    assert layers == (1, 2)
    assert set(SUBJECT.spread_layers(50)) <= set(range(SUBJECT.n_layers))


def test_a_layer_that_is_not_there_is_said() -> None:
    with pytest.raises(SiteUnavailable, match=r"has no layer 4\. Its layers are 0 to 3"):
        SUBJECT.check("resid_post.4")


def test_a_parallel_block_has_no_middle() -> None:
    parallel = phantom("gptj")
    assert "resid_mid" not in parallel.points()
    with pytest.raises(SiteUnavailable, match="no stream between attention and MLP"):
        parallel.check(Site("resid_mid", 0))


def test_prompts_that_are_empty_or_far_too_long_are_refused_with_numbers() -> None:
    with pytest.raises(InputError, match="empty"):
        SUBJECT.tokens("")
    with pytest.raises(InputError, match=r"100,000 tokens and phantom-llama reads at most 4,096"):
        SUBJECT.tokens("x" * 100_000)
    with pytest.raises(InputError, match="reads at most"):
        SUBJECT.chat("x" * 100_000)


def test_a_prompt_of_one_token_runs() -> None:
    assert SUBJECT.logits(SUBJECT.batch([SUBJECT.tokens("x")])).shape == (1, 1, 128)


def test_a_chat_begins_the_answer_where_told() -> None:
    plain, begun = SUBJECT.chat("Hello"), SUBJECT.chat("Hello", answer="Sure")
    assert begun[: len(plain)] == plain
    assert SUBJECT.text(begun[len(plain) :]) == "Sure"
    assert "You are" in SUBJECT.text(SUBJECT.chat("Hello", system="You are"), special=True)


def test_no_chat_template_is_an_error_that_says_what_to_do() -> None:
    silent = phantom("llama", chat_template=False)
    with pytest.raises(MissingChatTemplate, match=r"no chat template.*Add chat_template"):
        silent.chat("Hello")


def test_positions_follow_the_mask_on_either_side() -> None:
    left, right = SUBJECT.batch([[5, 6, 7], [8]], side="left"), SUBJECT.batch([[5, 6, 7], [8]], side="right")
    assert left.positions.tolist() == [[0, 1, 2], [-1, -1, 0]]
    assert right.positions.tolist() == [[0, 1, 2], [0, -1, -1]]
    assert left.lengths.tolist() == right.lengths.tolist() == [3, 1]


def test_what_the_template_or_the_tokenizer_cannot_read_is_said() -> None:
    subject = phantom()
    for read in (subject.tokens, subject.raw_tokens, subject.chat):
        with pytest.raises(InputError, match="surrogate"):
            read("a\ud800")
    subject.tokenizer.chat_template = "{{ raise_exception('no system turn here') }}"
    with pytest.raises(InputError, match="no system turn here"):
        subject.chat_text("Hello")
