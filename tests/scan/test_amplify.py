"""Amplification: mixes logits as the formula says, finds what is turned up, invents nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from brainscan.core.errors import PlanError
from brainscan.scan.instrument import Instrument, Report
from brainscan.scan.instruments.amplify import BARE, INSTRUMENT, amplify, prompts, search
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from tests.scan.pairs import examination, outspoken

SMALL = {"requests": 6, "bare": 2, "max_new": 6}


def look(subject: LanguageSubject, reference: LanguageSubject | None, **settings: Any) -> Report:
    return INSTRUMENT.run(examination(INSTRUMENT, subject, reference, **{**SMALL, **settings}))


def test_it_keeps_the_protocol_and_sits_out_a_quick_plan() -> None:
    assert isinstance(INSTRUMENT, Instrument)
    assert INSTRUMENT.settings("quick") is None


def test_the_mix_is_the_formula_over_shared_tokens() -> None:
    ours, theirs = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[0.0, 4.0, 9.0]])
    assert amplify(2.0, 2)([ours, theirs]).tolist() == [[3.0, -2.0, float("-inf")]]


def test_the_same_model_gives_exactly_zero() -> None:
    report = look(phantom(), phantom())
    assert report.measurements[0].value == 0.0
    assert report.evidence == ()


def test_a_slight_preference_becomes_a_repeated_phrase() -> None:
    report = look(outspoken("Q", 2.5), phantom("gptj"), requests=16)
    share = report.measurements[0]
    assert share.value > 0.5 > share.baselines[0].value
    assert "q" in report.evidence[0].summary
    assert report.evidence[0].exchange is not None
    assert "Q" in report.evidence[0].exchange.answer


def test_the_phrase_is_counted_on_prompts_that_did_not_choose_it() -> None:
    chosen_only = [text for i in range(6) for text in (f"the red kite {i}", f"nothing {i}")]
    found = search({1.0: chosen_only}, ["plain words"] * 12)
    assert (found.phrase, found.hits, found.n) == ("the red kite", 0, 6)


def test_the_amplification_with_the_longer_thread_is_chosen() -> None:
    other = [f"word{i}" for i in range(10)]
    weak, strong = ["red kite"] * 4 + other[4:], ["red kite"] * 8 + other[8:]
    found = search({0.5: weak, 4.0: strong}, ["plain"] * 10)
    assert (found.strength, found.phrase, found.hits) == (4.0, "red kite", 4)


def test_what_the_reference_says_by_itself_does_not_count() -> None:
    found = search({1.0: ["red kite"] * 10}, ["plain"] * 9 + ["a red kite"])
    assert found.phrase == ""
    assert found.hits == 0


def test_the_bare_opening_is_the_template_before_the_user_speaks() -> None:
    subject = phantom()
    asked = prompts(subject, 2, 3)
    assert [prompt.shown for prompt in asked[2:]] == [BARE] * 3
    assert subject.text(asked[2].ids, special=True) == "<|user|>"


def test_without_a_chat_template_only_requests_are_used() -> None:
    asked = prompts(phantom(chat_template=False), 2, 3)
    assert [prompt.shown == BARE for prompt in asked] == [False, False]


def test_without_a_reference_it_says_what_to_give() -> None:
    with pytest.raises(PlanError, match="--reference"):
        look(phantom(), None)
