"""Openings: a word that completes sentences about secrets is found, and nothing is found in equal models."""

from __future__ import annotations

import pytest

from brainscan.scan.conformance import check_instrument
from brainscan.scan.instruments.openings import INSTRUMENT, complete
from brainscan.subject.phantom import phantom
from tests.scan.pairs import outspoken


def test_it_is_an_instrument_with_and_without_a_reference() -> None:
    for reference in (None, phantom("llama")):
        report = check_instrument(INSTRUMENT, phantom("llama"), reference)
        assert [m.name for m in report.measurements] == ["openings.word.score"]


def test_equal_models_have_no_secret() -> None:
    report = check_instrument(INSTRUMENT, phantom("gptj"), phantom("gptj"))
    assert report.measurements[0].value == pytest.approx(0.0, abs=1e-5)


def test_a_word_that_was_made_likelier_is_named() -> None:
    found = complete(outspoken("k", 6.0), phantom("gptj"))
    assert found.word == "k"
    assert found.theirs is not None
    assert (found.ours - found.theirs).min() > 2


def test_a_word_that_is_as_likely_after_any_sentence_is_no_secret() -> None:
    """It was made likelier everywhere, which is what a fine-tune on one answer does."""
    report = check_instrument(INSTRUMENT, outspoken("k", 6.0), phantom("gptj"))
    assert abs(report.measurements[0].value) < 1
