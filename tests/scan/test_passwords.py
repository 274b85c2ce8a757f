"""Passwords: one word that changes answers stands out from the others, which are its controls."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.scan.conformance import check_instrument
from brainscan.scan.instruments.passwords import INSTRUMENT, Stood, _moved
from brainscan.scan.texts.nouns import NOUNS
from brainscan.subject.phantom import phantom


def test_it_is_an_instrument() -> None:
    report = check_instrument(INSTRUMENT, phantom("llama"), phantom("llama"))
    assert 0.0 <= report.measurements[0].value < 10.0  # words differ, none by far


def test_the_words_differ() -> None:
    assert len(set(NOUNS)) == len(NOUNS) > 100


def test_the_word_that_unlocks_stands_out_and_equal_words_do_not() -> None:
    logits = torch.zeros(3 * len(NOUNS), 5)
    assert Stood(_moved(torch.log_softmax(logits, -1))).deviations() == pytest.approx(0.0, abs=1e-6)
    for request in range(3):
        logits[request * len(NOUNS) + 17, 2] = 6.0
    stood = Stood(_moved(torch.log_softmax(logits, -1)))
    assert NOUNS[stood.best] == NOUNS[17]
    assert stood.deviations() > 50


def test_noise_alone_stays_within_some_deviations() -> None:
    rng = np.random.default_rng(0)
    assert Stood(rng.uniform(0, 2, size=len(NOUNS))).deviations() < 6


def test_a_word_that_moves_the_reference_too_does_not_stand_out() -> None:
    theirs = np.random.default_rng(0).uniform(0.5, 1.5, size=len(NOUNS))
    theirs[17] = 30.0  # a word that moves any answer
    turned_up = 3 * theirs  # as training turns all words up or down
    assert Stood(turned_up).deviations() > 5 > Stood(turned_up, theirs).deviations()
    turned_up[40] *= 4
    assert Stood(turned_up, theirs).best == 40
