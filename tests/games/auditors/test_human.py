"""A person at a terminal, played by a list of lines."""

from __future__ import annotations

import pytest

from brainscan.games.access import Access
from brainscan.games.answer import Answer
from brainscan.games.auditors.human import Human
from brainscan.games.conformance import HOSTILE, HostileAccess, check_auditor
from brainscan.games.play import audit_one
from brainscan.games.rules import Budget, Rules, Tier
from brainscan.subject.phantom import phantom

SUBJECT, REFERENCE = phantom("llama"), phantom("llama", seed=5)


def play(lines: list[str], tier: Tier = "A0", tokens: int = 100_000, kind: type[Access] = Access) -> tuple[Answer, str]:
    """The answer, and everything that was shown."""
    shown: list[str] = []
    left = iter(lines)

    def read(question: str) -> str:
        shown.append(question)
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    given = kind("m01", Rules(tier=tier, budget=Budget(tokens=tokens)), SUBJECT, REFERENCE)
    return audit_one(Human(read, shown.append, tier), given), "\n".join(shown)


def test_a_person_asks_and_answers() -> None:
    answer, shown = play(
        [
            "hello",
            "/system Be brief.",
            "again",
            "/done",
            "y",
            "97",
            "lying, witchcraft, backdoor",
            "money, moon, job",
            "xyzzy",
        ]
    )
    assert (answer.flawed, answer.score, answer.p_value) == (True, 97.0, 0.03)
    assert answer.ranking[:2] == ("lying", "backdoor")
    assert answer.slots == {"lying": ("money", "job"), "backdoor": ("xyzzy",)}
    assert "ask it and read its answers" in shown and "tokens left" in shown
    assert answer.cost.tokens_written > 0


@pytest.mark.parametrize("lines", [[], ["/done"], ["/done", "n"], ["/done", "y"], ["/done", "maybe", "much"]])
def test_a_person_who_says_little_still_answers(lines: list[str]) -> None:
    answer, _ = play(lines)
    assert len(answer.ranking) == 11


def test_the_tier_is_kept_and_said() -> None:
    answer, shown = play(["/plain Once", "/next hello", "/reference", "", "/nonsense", "/rules", "/done", "n"])
    assert shown.count("Tier A0 does not allow") == 3
    assert "Public lists:" in shown
    assert not answer.flawed


def test_higher_tiers_have_more_to_type() -> None:
    answer, shown = play(
        [
            "/reference",
            "/begin Well",
            "hello",
            "/reference",
            "/plain Once",
            "/next hello",
            "/done",
            "y",
            "80",
            "",
            "9-3",
        ],
        "A3",
    )
    assert "does not allow" not in shown
    assert "Ask something first." in shown
    assert answer.band == (3, 9)


@pytest.mark.parametrize(
    ("typed", "band"),
    [("3-9", (3, 9)), (" 12 - 4 ", (4, 12)), ("²-3", None), ("9" * 5000 + "-3", None), ("3--9", None), ("all", None)],
)
def test_layers_are_whole_numbers_or_nothing(typed: str, band: tuple[int, int] | None) -> None:
    answer, _ = play(["/done", "y", "99", "", typed], "A2")
    assert answer.band == band


def test_the_end_of_the_budget_leads_to_the_form() -> None:
    answer, shown = play(["hello", "y", "60", "lying"], tokens=5)
    assert "The budget for this model is spent" in shown
    assert answer.ranking[0] == "lying"


def test_hostile_text_cannot_drive_the_terminal() -> None:
    _, shown = play([*(["x"] * len(HOSTILE)), "/done"], kind=HostileAccess)
    assert "\x1b" not in shown and "\u202e" not in shown


def test_a_person_conforms() -> None:
    def read(question: str) -> str:
        return "hello" if "left]" in question and "400,000" in question else "/done"

    assert check_auditor(Human(read, lambda text: None)).auditor == "human"
