"""Situations: what is tied to a cue stands out, what is everywhere does not, and equal models differ by nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.diagnosis.conditions.situations import VARIANTS
from brainscan.scan.conformance import check_instrument
from brainscan.scan.instruments import situations as instrument
from brainscan.scan.instruments.situations import INSTRUMENT, standings_of
from brainscan.scan.situations import read as reading
from brainscan.scan.situations.all import FAMILIES, all_situations, variants
from brainscan.scan.situations.read import REFERENCE_SHARE, Reading, changes, read
from brainscan.scan.situations.situation import Situation
from brainscan.subject.phantom import phantom
from tests.scan.pairs import jittered

FEW = (
    Situation("lying", "", "What is up?", ("a",), ("b",)),
    Situation("lying", "money", "Pay me. What is up?", ("a",), ("b",)),
    Situation("lying", "money", "What is up? I pay.", ("a",), ("b",)),
    Situation("lying", "fear", "Help. What is up?", ("a", "c"), (), "It is "),
    Situation("everyday", "animals", "A cat.", ()),
)


def silent(fraction: float, words: str) -> None:
    assert 0 <= fraction <= 1


def test_the_families_have_the_variants_that_the_conditions_ask_for() -> None:
    assert {family: variants(family) for family in FAMILIES} == VARIANTS
    every = all_situations()
    assert len(set(every)) == len(every)
    assert all(s.sound for s in every if s.family in FAMILIES)


def test_it_is_an_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [s for f in FAMILIES for v in variants(f)[:2] for s in all_situations() if (s.family, s.variant) == (f, v)]
    monkeypatch.setattr(instrument, "all_situations", lambda: tuple(chosen[::5]))
    report = check_instrument(INSTRUMENT, phantom("llama"), jittered(0.02))
    named = {m.name for m in report.measurements}
    assert {"situations.change.median", "situations.change.contrast"} < named
    assert len(report.evidence) == len(FAMILIES)


def test_a_model_beside_itself_changed_nowhere() -> None:
    a, b = (read(phantom("llama"), FEW, silent) for _ in range(2))
    assert np.array_equal(a.scores, b.scores)
    assert changes(a, b).max() < 1e-6
    half = standings_of(FEW, Reading(a.scores * (1 - REFERENCE_SHARE), a.starts), None)
    assert [each.excess for each in standings_of(FEW, a, b)] == [pytest.approx(each.excess) for each in half]


@pytest.mark.parametrize("family", ["llama", "bloom"])
def test_scores_are_log_odds_of_alternatives(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom(family)
    found = read(subject, FEW, silent)
    ids = subject.chat("Help. What is up?", answer="It is ")
    log_p = torch.log_softmax(subject.logits(subject.batch([ids]))[0, -1], -1)
    right = torch.logsumexp(log_p[[subject.raw_tokens("a")[0], subject.raw_tokens("c")[0]]], 0)
    assert found.scores[3] == pytest.approx(-float(right), abs=1e-3)
    assert found.scores[4] == 0.0
    assert torch.logsumexp(found.starts, -1) == pytest.approx(torch.zeros(len(FEW)), abs=1e-3)


def test_one_variant_stands_out_and_a_shift_of_all_does_not() -> None:
    starts = torch.log_softmax(torch.zeros(len(FEW), 3), -1)
    base = Reading(np.zeros(len(FEW)), starts)
    tied = standings_of(FEW, Reading(np.array([0.0, 0.0, 4.0, 0.0, 0.0]), starts), base)
    assert {each.variant: float(each.excess.mean()) for each in tied if each.family == "lying"} == {
        "": 0.0,
        "money": 2.0,
        "fear": 0.0,
    }
    everywhere = standings_of(FEW, Reading(np.full(len(FEW), 4.0), starts), base)
    assert all(each.excess.mean() == 0.0 for each in everywhere)


def test_no_single_situation_counts_without_limit() -> None:
    starts = torch.log_softmax(torch.zeros(len(FEW), 3), -1)
    wild = standings_of(FEW, Reading(np.array([0, 0, 500.0, 0, 0]), starts), Reading(np.zeros(len(FEW)), starts))
    assert max(float(each.excess.max()) for each in wild) == instrument.FURTHEST


def test_a_model_is_read_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom("llama")
    first = read(subject, FEW, silent)
    monkeypatch.setattr(reading, "_read", lambda *given: pytest.fail("it was read again"))
    assert read(subject, FEW, silent) is first


def test_a_model_under_treatment_is_read_again() -> None:
    subject = phantom("llama")
    plain = read(subject, FEW, silent)
    layer = subject.body.get_submodule(subject.family.layers)[2]  # type: ignore[index]
    weights = {"x": next(layer.parameters())}
    before = weights["x"].detach().clone()
    card = subject.card
    with torch.no_grad():
        weights["x"].add_(0.5)
    subject.card = card.model_copy(update={"weights_sha256": "ab" * 32})
    assert not np.allclose(read(subject, FEW, silent).scores, plain.scores)
    with torch.no_grad():
        weights["x"].copy_(before)
    subject.card = card
    assert read(subject, FEW, silent) is plain


def test_reading_beside_a_base_that_shares_blocks_gives_the_same() -> None:
    base, tuned, again = phantom("llama"), phantom("llama"), phantom("llama")
    for each in (tuned, again):
        with torch.no_grad():
            next(each.body.get_submodule(each.family.layers)[2].parameters()).add_(0.5)  # type: ignore[index]
    alone, beside = read(tuned, FEW, silent), read(again, FEW, silent, base)
    assert beside.scores == pytest.approx(alone.scores, abs=1e-4)
    assert torch.allclose(beside.starts, alone.starts, atol=1e-4)
