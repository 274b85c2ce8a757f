"""Dose finding: a curve, a guard that holds, and the best dose among what it let pass."""

from __future__ import annotations

import math

from brainscan.subject.phantom import phantom
from brainscan.treatment.dose import Guard, dose_of_equal_kl, find_dose, grip
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.ledger import read_distance
from brainscan.treatment.texts.neutral import TEXTS
from brainscan.treatment.treated import treated
from tests.treatment.made import SITE, says_letter, vector


def test_the_guard_holds_and_the_best_that_passed_is_chosen() -> None:
    subject = phantom()
    curve = find_dose(
        subject, {"one": Steer({SITE: vector()})}, says_letter(), Guard(perplexity=1.05), (0.1, 0.5, 2, 8)
    )
    assert curve.points and all(point.held == (point.perplexity <= 1.05) for point in curve.points)
    held = [point for point in curve.points if point.held]
    assert curve.chosen is not None and curve.treatment is not None
    assert curve.chosen.on.value == min(point.on.value for point in held)
    assert curve.treatment.dose == curve.chosen.dose


def test_nothing_is_chosen_when_everything_does_damage() -> None:
    curve = find_dose(phantom(), {"one": Steer({SITE: 90 * vector()})}, says_letter(), Guard(perplexity=0.5), (1, 2))
    assert curve.chosen is None and curve.treatment is None


def test_screening_keeps_the_candidates_under_which_the_answers_are_least_likely() -> None:
    subject, behaviour = phantom(), says_letter()
    candidates = {"weak": Steer({SITE: 0.01 * vector()}), "strong": Steer({SITE: 30 * vector()})}
    grips = grip(subject, behaviour, candidates, behaviour.learn)
    assert grips["strong"] < grips["weak"] < 0
    curve = find_dose(subject, candidates, behaviour, doses=(1.0,), keep=1)
    assert {point.candidate for point in curve.points} == {"strong"}


def test_equal_distance_is_found() -> None:
    subject, asked = phantom(), ("What is rain?", "Who is there?")
    treatment = Steer({SITE: vector()})
    dose = dose_of_equal_kl(subject, treatment, 0.2, asked)
    before = read_distance(subject, TEXTS[:6], asked)
    with treated(subject, treatment.at(dose)):
        assert math.isclose(read_distance(subject, TEXTS[:6], asked).kl(before), 0.2, rel_tol=0.3)
