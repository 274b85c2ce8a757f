"""An incident comes about again; another subject, monitor or outcome is noticed."""

from __future__ import annotations

import pytest

from brainscan.core.errors import UsageError
from brainscan.monitor.incident import Incident
from brainscan.monitor.panel import Panel
from brainscan.monitor.replay import check_fit, replay
from brainscan.monitor.run import Run
from brainscan.subject.generate import Decoding
from brainscan.subject.phantom import phantom
from tests.monitor.world import fitted, panel, subject


def incident(policy: str = "warn", *, cut_after: int | None = None) -> Incident:
    """What the server would have kept for a prompt with the forbidden words, at a temperature."""
    prompt = subject().chat("OPEN SESAME please")
    decoding = Decoding(max_new=8, temperature=1.0, seed=5)
    run = Run(subject(), panel(policy), [prompt], decoding)  # type: ignore[arg-type]
    while not run.done and (cut_after is None or run.rows[0].released < cut_after):
        run.advance()
    row = run.rows[0]
    return Incident(
        id="0" * 32,
        created_utc="2026-01-01T00:00:00+00:00",
        subject_name="phantom",
        subject_spec="phantom",
        weights_sha256=subject().card.weights_sha256,
        monitor_file="m",
        prompt=subject().text(prompt, special=True),
        prompt_ids=tuple(prompt),
        answer=subject().text(row.chosen),
        answer_ids=tuple(row.chosen),
        temperature=1.0,
        top_p=1.0,
        seed=5,
        max_new=8,
        ending=row.ended or "cancelled",
        verdict=run.verdict(0),
        open=False,
    )


@pytest.mark.parametrize("policy", ["warn", "stop"])
@pytest.mark.parametrize("cut_after", [None, 3])
def test_an_incident_happens_again(policy: str, cut_after: int | None) -> None:
    found = replay(subject(), panel(policy), incident(policy, cut_after=cut_after))  # type: ignore[arg-type]
    assert found.same
    assert found.largest_difference < 1e-4


def test_another_answer_is_noticed() -> None:
    kept = incident()
    changed = kept.model_copy(update={"answer_ids": (*kept.answer_ids[:2], 9, *kept.answer_ids[3:])})
    assert not replay(subject(), panel(), changed).same


def test_another_monitor_or_subject_is_refused() -> None:
    with pytest.raises(UsageError, match="raised by another monitor"):
        replay(subject(), panel("stop"), incident("warn"))
    with pytest.raises(UsageError, match="fitted on other weights"):
        check_fit(fitted()[0], phantom(seed=1))
    other = fitted()[0].model_copy(update={"tokenizer_sha256": "0" * 64})
    with pytest.raises(UsageError, match="another tokenizer"):
        replay(subject(), Panel(other, fitted()[1]), incident())


def test_an_answer_that_ends_sooner_is_another() -> None:
    kept = incident(cut_after=3)
    more = kept.model_copy(update={"answer_ids": (*kept.answer_ids, 9), "ending": "cancelled"})
    assert not replay(subject(), panel(), more).same_answer


def test_another_outcome_is_noticed() -> None:
    kept = incident()
    failed = kept.verdict.model_copy(update={"outcome": "failed", "failure": "The disk is full."})
    assert not replay(subject(), panel(), kept.model_copy(update={"verdict": failed})).same
