"""Scores of continuations are sums of the model's own log-probabilities."""

from __future__ import annotations

import pytest
import torch

from brainscan.core.errors import InputError
from brainscan.subject.phantom import phantom
from brainscan.subject.score import log_probabilities, next_token_logits

SUBJECT = phantom("qwen2")
PROMPTS = [SUBJECT.tokens(t) for t in ("One prompt of some length", "Two", "A third")]
CONTINUATIONS = [SUBJECT.raw_tokens(t) for t in (" yes", "n", " perhaps so")]


def by_hand(prompt: list[int], continuation: list[int]) -> float:
    ids = torch.tensor([prompt + continuation])
    with torch.no_grad():
        log_p = torch.log_softmax(SUBJECT.model(input_ids=ids).logits[0], -1)
    places = range(len(prompt) - 1, len(prompt) + len(continuation) - 1)
    return sum(float(log_p[at, token]) for at, token in zip(places, continuation, strict=True))


@pytest.mark.parametrize("rows", [1, 2, 32])
def test_scores_are_the_sums_by_hand_in_the_order_given(rows: int) -> None:
    got = log_probabilities(SUBJECT, PROMPTS, CONTINUATIONS, rows=rows)
    wanted = [by_hand(p, c) for p, c in zip(PROMPTS, CONTINUATIONS, strict=True)]
    assert got == pytest.approx(wanted, abs=1e-3)


def test_next_token_logits_are_the_model_s() -> None:
    got = next_token_logits(SUBJECT, PROMPTS, rows=2)
    for row, prompt in zip(got, PROMPTS, strict=True):
        with torch.no_grad():
            own = SUBJECT.model(input_ids=torch.tensor([prompt])).logits[0, -1]
        torch.testing.assert_close(row, own, atol=1e-4, rtol=1e-4)


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(InputError, match="continuation is empty"):
        log_probabilities(SUBJECT, PROMPTS[:1], [[]])
    with pytest.raises(InputError, match="prompt is empty"):
        next_token_logits(SUBJECT, [[]])
