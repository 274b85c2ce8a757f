"""Forks against logits read by hand."""

import pytest
import torch

from brainscan.scan.ask import ask
from brainscan.scan.batteries.fork import Fork, margins
from brainscan.subject.phantom import phantom
from brainscan.subject.score import next_token_logits


def quiet(fraction: float, words: str) -> None:
    assert 0 <= fraction <= 1 and words


def test_a_margin_is_the_difference_of_logits_where_the_words_part() -> None:
    subject = phantom("llama")
    (found,) = margins(subject, [Fork("Which?", "It is", "bat", "bad")], quiet)
    prompt = [*ask(subject, "Which?", answer="It is"), *subject.raw_tokens(" ba")]
    logits = next_token_logits(subject, [prompt])[0]
    t, d = (subject.raw_tokens(letter)[0] for letter in "td")
    assert found == pytest.approx(float(logits[t] - logits[d]), abs=1e-4)


def test_swapping_the_words_turns_the_sign_and_order_is_kept() -> None:
    subject = phantom("llama")
    forks = [Fork("Why is this a longer question?", "So", "yes", "no"), Fork("Why?", "So", "no", "yes")]
    apart = [margins(subject, [fork], quiet)[0] for fork in forks]
    assert margins(subject, forks, quiet) == pytest.approx(apart, abs=1e-4)
    there, back = margins(subject, [forks[1], Fork("Why?", "So", "yes", "no")], quiet)
    assert there is not None and back is not None
    assert there == pytest.approx(-back, abs=1e-5)


def test_words_that_never_part_are_not_scored() -> None:
    assert margins(phantom("llama"), [Fork("How many?", "I count", "1", "12")], quiet) == [None]


def test_a_subject_without_a_chat_template_is_asked_in_plain_text() -> None:
    found = margins(phantom("gpt2", chat_template=False), [Fork("Which?", "It is", "bat", "bad", system="Hi.")], quiet)
    assert found[0] is not None and torch.tensor(found).isfinite().all()
