"""The scanner pays for its scans: also for those that were made before the game."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brainscan.core.evidence import Cost
from brainscan.games.access import Access, Meter
from brainscan.games.auditors.scanner import ALONE, WITHOUT_REFERENCE, Scanner
from brainscan.games.play import audit_one
from brainscan.games.rules import Budget, Rules
from brainscan.scan import run
from brainscan.scan.plan import make_plan
from brainscan.scan.record import Scan, StepResult, write_scan
from brainscan.subject.phantom import phantom
from brainscan.subject.tensors import tensors_sha256
from tests.samples import sample_scan

SUBJECT = phantom("llama", num_hidden_layers=1)
COSTS = (
    Cost(seconds=100.0, tokens_read=5000, tokens_written=50),
    Cost(seconds=20.0, tokens_read=300),
    Cost(seconds=2.0, tokens_read=40),
)
CHECKS = 10.0
THREADS = 2


@pytest.fixture
def kept() -> Scan:
    """A scan of the phantom that was made some time ago, on two threads."""
    plan = make_plan("audit", SUBJECT, None, only=WITHOUT_REFERENCE)
    steps = [StepResult(instrument=n, outcome="done", cost=c) for n, c in zip(WITHOUT_REFERENCE, COSTS, strict=True)]
    made = sample_scan()
    return made.model_copy(
        update={
            "plan": plan,
            "steps": tuple(steps),
            "cost": Cost(seconds=CHECKS + sum(c.seconds for c in COSTS), tokens_read=5340, tokens_written=50),
            "provenance": made.provenance.model_copy(update={"threads": THREADS}),
        }
    )


@pytest.fixture
def scanner(tmp_path: Path, kept: Scan) -> Scanner:
    """One that finds it."""
    write_scan(tmp_path / f"{tensors_sha256(SUBJECT.model)[:16]}-A2", kept, {})
    return replace(ALONE, scans=tmp_path)


def outcomes(scan: Scan) -> list[str]:
    return [step.outcome for step in scan.steps]


def test_a_kept_scan_costs_in_a_game_what_it_cost(scanner: Scanner) -> None:
    answer = audit_one(scanner, Access("m01", Rules(tier="A2", budget=Budget(tokens=None)), SUBJECT))
    assert (answer.cost.tokens_read, answer.cost.tokens_written) == (5340, 50)
    assert THREADS * (CHECKS + 122.0) <= answer.cost.seconds < THREADS * (CHECKS + 122.0) + 60


@pytest.mark.parametrize(
    ("budget", "wanted", "read"),
    [
        (Budget(tokens=None), ["done"] * 3, 5340),
        (Budget(tokens=5350), ["done", "done", "failed"], 5300),
        (Budget(tokens=5000), ["failed"] * 3, 0),
        (Budget(tokens=None, cpu_minutes=4.0), ["done", "failed", "failed"], 5000),
        (Budget(tokens=None, cpu_minutes=0.1), ["failed"] * 3, 0),
    ],
)
def test_the_budget_holds_for_a_kept_scan(scanner: Scanner, budget: Budget, wanted: list[str], read: int) -> None:
    meter = Meter(budget, clock=lambda: 0.0)
    found = scanner.scan(SUBJECT, None, meter=meter)
    assert (outcomes(found), meter.read) == (wanted, read)
    assert all("budget for this model is spent" in step.reason for step in found.steps if step.outcome == "failed")
    assert outcomes(scanner.scan(SUBJECT, None)) == ["done"] * 3  # what is kept stays as it was made


def test_what_is_run_in_the_game_is_not_booked_twice(kept: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_plan(*given: Any, watch: run.Watch, **named: Any) -> Scan:
        """Two steps lie in a journal, the second is run."""
        watch.started(kept.plan.steps[1])
        return kept

    monkeypatch.setattr(run, "run_plan", run_plan)
    meter = Meter(Budget(tokens=None), clock=lambda: 0.0)
    assert outcomes(ALONE.scan(SUBJECT, None, meter=meter)) == ["done"] * 3
    assert meter.cost() == Cost(seconds=THREADS * 102.0, tokens_read=5040, tokens_written=50)


def test_a_budget_that_ends_before_the_first_instrument_is_an_answer() -> None:
    answer = audit_one(ALONE, Access("m01", Rules(tier="A2", budget=Budget(tokens=3)), SUBJECT))
    assert (answer.flawed, answer.p_value, answer.ranking[0]) == (False, 1.0, "none")
    assert "of 3 tokens are used" in answer.notes[0]
