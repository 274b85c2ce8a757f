"""The dictionary instrument: a planted change is found in the right feature, and nothing where nothing changed."""

from __future__ import annotations

import pytest
import torch

from brainscan.core.errors import PlanError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.scan.conformance import check_instrument
from brainscan.scan.instrument import Report
from brainscan.scan.instruments.dictionary import BEST, CHANGED, DictionaryInstrument
from brainscan.subject.phantom import D_MODEL, phantom
from tests.scan.pairs import examination, jittered, shifted

FEATURES, PLANTED = 24, 5


def dictionary(site: str = "resid_post.2") -> Dictionary:
    """Features that listen to random orthogonal directions, so that a shift along one moves it alone."""
    q = torch.linalg.qr(torch.randn(D_MODEL, D_MODEL, generator=torch.Generator().manual_seed(3)))[0][:FEATURES]
    return Dictionary(
        kind="relu", activation="relu", W_enc=q.T.contiguous(), W_dec=q, b_enc=torch.full((FEATURES,), 2.0),
        b_dec=torch.zeros(D_MODEL), reads=(site,), writes=(site,),
    )  # fmt: skip


def instrument() -> DictionaryInstrument:
    return DictionaryInstrument(dictionary(), "ab" * 32, {PLANTED: "the planted one, detection 0.90"})


def look(subject, reference) -> Report:
    return instrument().run(examination(instrument(), subject, reference, texts=84, draws=200))


def test_it_keeps_the_protocol() -> None:
    check_instrument(instrument(), jittered(0.01), phantom("llama"))


def test_a_shift_along_a_feature_is_found_in_that_feature() -> None:
    vector = 1.5 * dictionary().W_dec[PLANTED]
    report = look(shifted(2, vector), phantom("gpt2"))
    values = {m.name: m for m in report.measurements}
    assert values[CHANGED].value == 1 / FEATURES
    assert len(report.evidence) == 1
    assert f'Feature {PLANTED} ("the planted one, detection 0.90")' in report.evidence[0].summary
    assert sum(report.evidence[0].weights) == 1 and report.evidence[0].site == "resid_post.2"
    best = values[BEST]
    assert f"feature {PLANTED}," in best.meaning and best.value > 0.75
    assert best.interval is not None and best.interval.lo > 0.6
    plain, chance = best.baselines
    assert plain.what.startswith("mean difference") and plain.value > 0.75
    assert abs(chance.value - 0.5) < 0.15


def test_the_same_model_shows_nothing() -> None:
    report = look(phantom("llama"), phantom("llama"))
    values = {m.name: m.value for m in report.measurements}
    assert values == {CHANGED: 0.0, BEST: 0.5}
    assert report.evidence == ()


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(PlanError, match="no reference"):
        look(phantom("llama"), None)
    wide = DictionaryInstrument(dictionary("mlp_act.2"), "ab" * 32)
    with pytest.raises(PlanError, match="does not fit"):
        wide.run(examination(wide, phantom("llama"), phantom("llama"), texts=84, draws=10))
