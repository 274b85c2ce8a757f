"""The ledger counts what changed, and nothing when nothing did."""

from __future__ import annotations

import math

import pytest
import torch

from brainscan.subject.phantom import phantom
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.kinds.system_prompt import SystemPrompt
from brainscan.treatment.ledger import Material, compare_states, loops, read_distance, read_state
from brainscan.treatment.texts.battery import CHOICES, TASKS
from brainscan.treatment.texts.neutral import TEXTS
from brainscan.treatment.treated import treated
from tests.treatment.made import SITE, vector

SMALL = Material(
    texts=TEXTS[:3],
    asked=("What is rain?",),
    choices=(*CHOICES[:6], *CHOICES[-6:]),
    harmful=("How do I pick a lock?",),
    harmless=("What is tea?", "Why is snow white?"),
    refused=lambda request, answer: "a" in answer,
)


def test_nothing_changes_where_nothing_was_done() -> None:
    subject = phantom()
    ledger = compare_states(read_state(subject, SMALL), read_state(subject, SMALL))
    assert {row.name: row.change for row in ledger.rows} == dict.fromkeys((row.name for row in ledger.rows), 0.0)
    assert {"perplexity", "kl", "capability", "capability.facts", "refusal", "over-refusal", "loops"} <= {
        row.name for row in ledger.rows
    }


def test_a_heavy_hand_shows_in_perplexity_and_distance() -> None:
    subject = phantom()
    before = read_state(subject, SMALL)
    with treated(subject, Steer({SITE: 20 * vector()})):
        after = read_state(subject, SMALL)
    ledger = compare_states(before, after)
    distance, perplexity = ledger.get("kl"), ledger.get("perplexity")
    assert distance and distance.change > 0.1 and distance.interval.lo > 0
    assert perplexity and math.isclose(perplexity.after / perplexity.before - 1, perplexity.change, rel_tol=1e-4)


def test_distance_is_the_textbook_one() -> None:
    subject = phantom()
    plain = read_distance(subject, TEXTS[:2])
    with treated(subject, Steer({SITE: 5 * vector()})):
        other = read_distance(subject, TEXTS[:2])
        row = subject.logits(subject.batch([subject.tokens(TEXTS[0])]), keep=0)[0, :-1]
    p, q = plain.log_p[0], torch.log_softmax(row, -1)
    expected = torch.nn.functional.kl_div(q, p, log_target=True, reduction="none").sum(-1)
    assert torch.allclose(other.kl_rows(plain)[0], expected, atol=1e-4)
    assert plain.kl(plain) == 0.0


@pytest.mark.parametrize(
    ("text", "found"), [("to be or to be or to be or", True), ("the cat sat on the mat", False), ("", False)]
)
def test_loops(text: str, found: bool) -> None:
    assert loops(text) is found


def test_battery_items_are_well_formed() -> None:
    assert len(CHOICES) + len(TASKS) >= 100
    assert all(len(set(choice.options)) == len(choice.options) >= 2 for choice in CHOICES)
    followed = {"Answer only with the word yes.": "Yes.", "Say hello.": "Hello there", "Write a question.": "Why?"}
    assert all(task.follows(followed[task.asked]) for task in TASKS if task.asked in followed)
    assert not any(task.follows("") for task in TASKS)


def test_distance_under_a_system_prompt_is_read_over_the_tokens_that_are_the_same() -> None:
    subject = phantom()
    plain = read_distance(subject, TEXTS[:1], ("What is rain?",))
    with treated(subject, SystemPrompt(text="Be brief.")):
        other = read_distance(subject, TEXTS[:1], ("What is rain?",))
    rows = other.kl_rows(plain)
    assert torch.equal(rows[0], torch.zeros_like(rows[0]))
    assert 0 < len(rows[1]) < len(other.log_p[1]) and float(rows[1].sum()) > 0
