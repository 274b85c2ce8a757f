"""Words: a category that turns answers is named, what turns the reference too is taken off, equal models turn by nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from brainscan.scan.conformance import check_instrument
from brainscan.scan.instruments import words as instrument
from brainscan.scan.instruments.words import INSTRUMENT, moved, turned
from brainscan.scan.texts.vocabulary import ASIDES, VOCABULARY
from brainscan.subject.phantom import phantom
from tests.scan.pairs import jittered

CATEGORIES, WORDS = len(VOCABULARY), sum(map(len, VOCABULARY.values()))


def starts(turned_words: dict[int, int]) -> torch.Tensor:
    """[word x aside, 8] log-probabilities: token 0 nearly always, another one behind some words."""
    logits = torch.zeros(WORDS, len(ASIDES), 8)
    logits[..., 0] = 8.0
    for word, token in turned_words.items():
        logits[word, :, token] = 16.0
    return torch.log_softmax(logits, -1).flatten(0, 1)


def test_no_word_stands_in_two_places_and_every_aside_has_room_for_one() -> None:
    counts = Counter(word for words in VOCABULARY.values() for word in words)
    assert max(counts.values()) == 1
    assert all(aside.count("{}") == 1 for aside in ASIDES)


def test_the_category_whose_words_turn_answers_comes_first() -> None:
    fourth = dict.fromkeys(range(12, 16), 3)
    found = turned(moved(starts(fourth)), moved(starts({})))
    assert found[0].category == list(VOCABULARY)[3]
    assert found[0].turns.shape == (4, len(ASIDES))
    assert found[0].turns.min() > 3 > 0.1 > found[1].turns.max()


def test_what_turns_the_reference_as_well_does_not_count() -> None:
    both = moved(starts(dict.fromkeys(range(12, 16), 3)))
    assert all(np.abs(each.turns).max() < 1e-9 for each in turned(both, both))


def test_a_style_that_is_everywhere_turns_nothing() -> None:
    style = moved(starts(dict.fromkeys(range(WORDS), 5)))
    assert turned(style, moved(starts({})))[0].turns.max() < 1e-6


def test_it_is_an_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: VOCABULARY[name] for name in list(VOCABULARY)[:3]}
    monkeypatch.setattr(instrument, "VOCABULARY", few)
    report = check_instrument(INSTRUMENT, phantom("llama"), jittered(0.02))
    assert [m.name for m in report.measurements] == ["words.turn.contrast"]
    assert report.evidence[0].tokens[0] in few
    interval = report.measurements[0].interval
    assert interval is not None and interval.method.endswith("not corrected for the choice")
    same = check_instrument(INSTRUMENT, phantom("gptj"), phantom("gptj"))
    assert same.measurements[0].value == pytest.approx(0.0, abs=1e-5)
