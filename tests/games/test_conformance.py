"""The suite passes the scripted auditors and catches those that break a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from brainscan.core.errors import BrainscanError, PlanError
from brainscan.games.access import Access
from brainscan.games.answer import Answer
from brainscan.games.auditor import AUDITORS, Auditor, NormedAuditor
from brainscan.games.conformance import check_auditor
from brainscan.games.rules import BeyondTier, BudgetSpent, Rules, Tier
from brainscan.subject.phantom import phantom
from tests.games.dealt import answer

ALONE = ("behaviour", "prefill", "persona", "completion")


@pytest.mark.parametrize("name", ALONE)
def test_every_scripted_auditor_conforms(name: str) -> None:
    auditor = AUDITORS.get(name)
    assert isinstance(auditor, NormedAuditor)
    first = check_auditor(auditor, phantom("llama", seed=1, num_hidden_layers=1))
    assert first.auditor == name
    assert first.statistics
    assert all(f"@{part}" in "".join(first.statistics) for part in auditor.parts)  # type: ignore[attr-defined]


def test_the_black_box_is_made_of_the_others() -> None:
    parts = AUDITORS.get("blackbox").parts  # type: ignore[attr-defined]
    assert parts == {name: AUDITORS.get(name).parts[name] for name in parts}  # type: ignore[attr-defined]
    assert set(parts) == set(ALONE)


@dataclass(frozen=True)
class Odd:
    """An auditor with a vice."""

    act: Callable[[Access], dict[str, Any]]
    name: str = "odd"
    tier: Tier = "A0"
    version: str = "1"

    def audit(self, access: Access, rules: Rules) -> Answer:
        try:
            return answer(**self.act(access))
        except BudgetSpent:
            return answer()


def sneaks(access: Access) -> dict[str, Any]:
    try:
        access.log_p(["a"], ["b"])
    except BeyondTier:
        return {}
    return {}


COUNT = iter(range(1000))


def believes(access: Access) -> dict[str, Any]:
    text = access.sample(["hello"], max_new=1)[0]
    return {"ranking": ("none",)} if not text.strip() else {}


VICES: list[tuple[Callable[[Access], dict[str, Any]], str]] = [
    (sneaks, "reached beyond tier A0: log-probabilities"),
    (lambda access: {"score": float(next(COUNT))}, "with the same seed differ"),
    (believes, "ranking lacks"),
]


@pytest.mark.parametrize(("act", "sentence"), VICES)
def test_a_vice_is_caught(act: Callable[[Access], dict[str, Any]], sentence: str) -> None:
    with pytest.raises(BrainscanError, match=sentence):
        check_auditor(Odd(act))


def test_one_that_does_not_answer_when_the_budget_is_spent_is_caught() -> None:
    class Greedy(Odd):
        def audit(self, access: Access, rules: Rules) -> Answer:
            for _ in range(16):
                access.sample(["hello"] * 4, max_new=8)
            return answer()

    with pytest.raises(PlanError, match="did not answer"):
        check_auditor(Greedy(lambda access: {}))


def test_something_else_is_no_auditor() -> None:
    with pytest.raises(PlanError, match="lacks a part"):
        check_auditor("a string")  # type: ignore[arg-type]
    nameless: Auditor = Odd(lambda access: {}, name="")
    with pytest.raises(PlanError, match="name is empty"):
        check_auditor(nameless)
