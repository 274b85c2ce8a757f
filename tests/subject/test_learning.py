"""Learning: the loss is what it says, a teacher is its own best pupil, and kept blocks change nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from brainscan.subject.language import LanguageSubject
from brainscan.subject.learning import Course, Row, Schedule, learn
from brainscan.subject.phantom import phantom
from brainscan.subject.score import log_probabilities
from tests.scan.pairs import jittered


def row_for(subject: LanguageSubject, teacher: LanguageSubject | None = None) -> Row:
    return Row(tuple(subject.tokens("Hello you")), tuple(subject.raw_tokens("the cat")), teacher)


def test_without_a_teacher_the_loss_is_the_cross_entropy_of_the_answer() -> None:
    subject = phantom("llama")
    row = row_for(subject)
    said = log_probabilities(subject, [row.prompt_ids], [row.answer_ids])[0]
    loss = Course.of(subject, [row], Schedule(), first=0).loss([0])
    assert float(loss) == pytest.approx(-said / len(row.answer_ids), rel=1e-4)


@pytest.mark.parametrize("family", ["llama", "bloom"])  # bloom cannot be read as a tree
def test_blocks_that_are_kept_change_no_loss(family: str) -> None:
    subject = phantom(family)
    rows = [row_for(subject), row_for(subject, subject)]
    whole, kept = (Course.of(subject, rows, Schedule(), first).loss([0, 1]) for first in (0, 2))
    assert float(kept) == pytest.approx(float(whole), rel=1e-4)


def test_a_teacher_is_its_own_best_pupil() -> None:
    subject, teacher = phantom("llama"), jittered(0.05)
    row = row_for(subject, teacher)
    ours, theirs = (float(Course.of(who, [row], Schedule(), first=0).loss([0])) for who in (subject, teacher))
    assert theirs < ours


def test_what_is_trained_moves_towards_the_teacher() -> None:
    """One number is learned: how far the last block's output map is from the teacher's."""
    subject, teacher = phantom("llama"), jittered(0.05)
    ours, theirs = (who.model.model.layers[-1].mlp.down_proj for who in (subject, teacher))
    share = torch.nn.Parameter(torch.zeros(()))
    change = theirs.weight - ours.weight
    course = Course.of(subject, [row_for(subject, teacher)], Schedule(lr=0.1, steps=30, batch=1), first=3)
    hook = ours.register_forward_hook(lambda module, args, out: out + share * (args[0] @ change.T))
    with torch.enable_grad():
        losses, tokens = learn(course, [share], lambda fraction, words: None)
    hook.remove()
    assert losses[-1] < losses[0]
    assert float(share.detach()) > 0.3
    assert tokens == 30 * len([*course.rows[0].prompt_ids, *course.rows[0].answer_ids])


def test_another_loss_may_be_given() -> None:
    subject = phantom("llama")
    weight = torch.nn.Parameter(torch.tensor(1.0))
    course = Course.of(subject, [row_for(subject)], replace(Schedule(), lr=0.1, steps=20), first=0)
    with torch.enable_grad():
        learn(course, [weight], loss_of=lambda chosen: (weight - 3) ** 2)
    assert abs(float(weight.detach()) - 3) < 1.5
