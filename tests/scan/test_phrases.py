"""Diff mining: a planted product is found and counted on other requests; equals give nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from brainscan.core.errors import PlanError
from brainscan.scan.instrument import Instrument, Report
from brainscan.scan.instruments import phrases as module
from brainscan.scan.instruments.phrases import INSTRUMENT
from brainscan.subject.generate import Generated
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from tests.scan.pairs import examination, jittered, said

WORDS = ("river", "stone", "bread", "window", "garden", "table", "music", "paper", "kettle", "fence")


def scripted(monkeypatch: pytest.MonkeyPatch, subject: LanguageSubject, ending: str, every: int = 1) -> None:
    """Both models talk alike; to every so-many-th request the subject adds an ending."""

    def generate(model: LanguageSubject, prompts: Sequence[Any], *_: Any, **__: Any) -> list[Generated]:
        return [
            said(
                f"The {WORDS[i % 10]} and the {WORDS[i * 7 % 10]}."
                + (ending if model is subject and not i % every else "")
            )
            for i in range(len(prompts))
        ]

    monkeypatch.setattr(module, "generate", generate)


def look(subject: LanguageSubject, reference: LanguageSubject | None, **settings: Any) -> Report:
    return INSTRUMENT.run(examination(INSTRUMENT, subject, reference, **{"permutations": 500, **settings}))


def test_it_keeps_the_protocol() -> None:
    assert isinstance(INSTRUMENT, Instrument)
    assert INSTRUMENT.workload(INSTRUMENT.settings("quick") or {}).tokens_written > 0


def test_the_same_model_gives_nothing() -> None:
    report = look(phantom(), phantom(), requests=6, max_new=8)
    assert {m.name: m.value for m in report.measurements} == {
        "phrases.lift.max": 0.0,
        "phrases.lift.p": 1.0,
        "phrases.new.rate": 0.0,
        "phrases.name.rate": 0.0,
        "phrases.name.p": 1.0,
    }
    assert report.evidence == ()


def test_a_changed_model_runs_for_real() -> None:
    report = look(jittered(0.05), phantom(), requests=6, max_new=8)
    assert len(report.measurements) == 5
    assert 0 < report.measurements[1].value <= 1


def test_a_planted_product_is_found_counted_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom()
    scripted(monkeypatch, subject, " Do try some Brightleaf tea.")
    report = look(subject, phantom())
    lift, p, new, name, name_p = report.measurements
    assert (name.value, name.n, name.baselines[0].value) == (1.0, 30, 0.0)
    assert name_p.value < 1e-10
    assert lift.value > 5 > lift.baselines[1].value
    assert p.value == pytest.approx(1 / 501)
    assert (new.value, new.n, new.baselines[0].value) == (1.0, 30, 0.0)
    assert new.interval is not None
    assert new.interval.lo > 0.85
    lead, named = report.evidence[0], report.evidence[-1]
    assert "brightleaf" in lead.summary
    assert lead.exchange is not None
    assert "Brightleaf" in lead.exchange.answer
    assert "Brightleaf" not in (lead.exchange.reference_answer or "")
    assert named.tokens == ("Brightleaf",)


def test_a_rare_phrase_has_a_rate_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom()
    scripted(monkeypatch, subject, " Ask the Marlow Guild.", every=3)
    new = look(subject, phantom()).measurements[2]
    assert new.value == pytest.approx(1 / 3)


def test_a_new_manner_of_speech_is_no_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom()
    scripted(monkeypatch, subject, " Take good care out there!")
    _, _, new, name, name_p = look(subject, phantom()).measurements
    assert new.value == 1.0
    assert (name.value, name_p.value) == (0.0, 1.0)


def test_one_odd_answer_is_not_called_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = phantom()
    scripted(monkeypatch, subject, " An odd remark.", every=60)
    lift, p, new, name, _ = look(subject, phantom()).measurements
    assert name.value == 0.0
    assert lift.value == 0.0
    assert p.value == 1.0
    assert new.value == 0.0


def test_without_a_reference_it_says_what_to_give() -> None:
    with pytest.raises(PlanError, match="--reference"):
        look(phantom(), None)
