"""Capture: order, what is kept, where it stops. Correctness for every family is in tests/subject/test_families."""

from __future__ import annotations

import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.errors import InputError, UsageError
from brainscan.subject.phantom import phantom

SUBJECT = phantom("llama")
TEXTS = ["A text of some length, here.", "b", "Another one", "b", "And a fifth, a little longer than the others."]
SITE = Site("resid_post", 2)


@pytest.mark.parametrize("tokens_per_batch", [1, 30, 10_000])
def test_rows_come_back_in_order_however_they_were_batched(tokens_per_batch: int) -> None:
    got = capture(SUBJECT, TEXTS, [SITE], tokens_per_batch=tokens_per_batch)[SITE]
    assert [len(row) for row in got.rows] == [len(SUBJECT.tokens(t)) for t in TEXTS]
    for text, row in zip(TEXTS, got.rows, strict=True):
        torch.testing.assert_close(row, capture(SUBJECT, [text], [SITE])[SITE].values, atol=1e-4, rtol=1e-4)


def test_what_is_kept() -> None:
    whole = capture(SUBJECT, TEXTS, [SITE])[SITE].rows
    last = capture(SUBJECT, TEXTS, [SITE], keep="last")[SITE].values
    mean = capture(SUBJECT, TEXTS, [SITE], keep="mean")[SITE].values
    first = capture(SUBJECT, TEXTS, [SITE], keep=3)[SITE].rows
    torch.testing.assert_close(last, torch.stack([row[-1] for row in whole]))
    torch.testing.assert_close(mean, torch.stack([row.mean(0) for row in whole]))
    for kept, row in zip(first, whole, strict=True):
        torch.testing.assert_close(kept, row[:3])


def test_nothing_runs_after_the_last_site() -> None:
    reached: list[int] = []
    handles = [
        block.register_forward_hook(lambda m, a, o, i=i: reached.append(i))
        for i, block in enumerate(SUBJECT.body.layers)
    ]
    head = SUBJECT.model.lm_head.register_forward_hook(lambda m, a, o: reached.append(-1))
    try:
        capture(SUBJECT, ["abc"], ["resid_pre.1", "attn_out.2"])
    finally:
        for handle in [*handles, head]:
            handle.remove()
    assert reached == [0, 1]


def test_hooks_are_gone_after_an_error() -> None:
    def fails(fraction: float, words: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        capture(SUBJECT, TEXTS, [SITE], progress=fails)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in SUBJECT.model.modules())


def test_foreign_spellings_and_rows_of_ids_work() -> None:
    ids = SUBJECT.tokens("abc")
    a = capture(SUBJECT, [ids], ["blocks.2.hook_resid_post"])[SITE].values
    b = capture(SUBJECT, ["abc"], ["model.layers.2"])[SITE].values
    assert torch.equal(a, b)


def test_bad_asks_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="empty"):
        capture(SUBJECT, ["a", ""], [SITE])
    with pytest.raises(UsageError, match="no single token to keep"):
        capture(SUBJECT, ["a"], ["attn_probs.1"], keep="last")
