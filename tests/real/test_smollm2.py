"""The real thing: the packaged 135M model, fetched once into the user's cache, behaves as a model does."""

from __future__ import annotations

import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.scan.self_check import self_check
from brainscan.subject.edit import Edit
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.load import load_subject

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def subject() -> LanguageSubject:
    return load_subject("smollm2-135m-instruct")


def test_it_passes_its_self_check(subject: LanguageSubject) -> None:
    assert all(check.passed for check in self_check(subject))


def test_it_knows_the_capital_of_france(subject: LanguageSubject) -> None:
    answer = generate(subject, [subject.chat("What is the capital of France?")], Decoding(max_new=12))[0]
    assert "Paris" in answer.text


def test_digits_are_cut_one_by_one_as_it_was_trained(subject: LanguageSubject) -> None:
    assert len(subject.raw_tokens("2026")) == 4


def test_a_swapped_stream_swaps_the_answer(subject: LanguageSubject) -> None:
    """The residual stream at the city's last token carries the city: patch it, and the country follows."""
    text = "The city of {} is in the country of"
    lyon, munich = (subject.tokens(text.format(city)) for city in ("Lyon", "Munich"))
    at = len(subject.tokens("The city of Lyon")) - 1
    assert len(lyon) == len(munich)
    germany = subject.raw_tokens(" Germany")[0]
    france = subject.raw_tokens(" France")[0]

    def preference(edits: list[Edit]) -> float:
        logits = subject.logits(subject.batch([lyon]), edits=edits)[0, -1]
        return float(logits[germany] - logits[france])

    layers = range(8, 18)
    source = capture(subject, [munich], [f"resid_post.{layer}" for layer in layers])
    edits = [Edit.patch(site, found.rows[0][None], at=at) for site, found in source.items()]
    noise = torch.Generator().manual_seed(0)
    random = [
        Edit.set(
            site,
            found.rows[0][at].norm() * torch.nn.functional.normalize(torch.randn(576, generator=noise), dim=0),
            at=at,
        )
        for site, found in source.items()
    ]
    assert preference([]) < 0 < preference(edits)
    assert preference(random) < preference(edits)
