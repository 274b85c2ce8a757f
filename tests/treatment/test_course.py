"""A whole course on a phantom, baselines and relapse included: the record holds together and the subject stays."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from brainscan.core.errors import PlanError, UsageError
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.course import Finished, Plan, run_course
from brainscan.treatment.dose import Guard
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.ledger import Material
from brainscan.treatment.make import Regimen
from brainscan.treatment.protocol import BASELINES
from brainscan.treatment.record import TreatmentRecord
from brainscan.treatment.relapse import Attack
from tests.treatment.made import SITE, says_letter, subject, vector


@cache
def course() -> tuple[Finished, LanguageSubject, dict[str, torch.Tensor]]:
    mine = subject()
    weights = {name: weight.clone() for name, weight in mine.model.state_dict().items()}
    plan = Plan(
        kind="steer",
        regimen=Regimen(steps=2, batch=2),
        guard=Guard(perplexity=50.0, texts=2, prompts=3),
        material=Material(texts=("The river bends north.",), choices=(), tasks=False, harmless=()),
        attack=Attack(prompts=3, steps=1, rows=3, batch=2),
        made={"along": Steer({SITE: vector()}, 1.0)},
        doses=(0.5, 4.0),
        command="brainscan treat phantom",
    )
    return run_course(mine, says_letter("c"), subject(), plan), mine, weights


def test_every_baseline_stands_beside_the_treatment_at_its_distance() -> None:
    record = course()[0].record
    assert tuple(each.kind for each in record.baselines) == (*BASELINES, "reference")
    matched = [each.kl for each in record.baselines if each.kind == "random"]
    assert record.treated.kl > 0
    assert 0.5 < matched[0] / record.treated.kl < 2


def test_relapse_was_tried_and_the_fate_says_a_word() -> None:
    record = course()[0].record
    assert record.relapse
    assert all(test.treated.n > 0 for test in record.relapse)
    assert record.fate
    assert not record.permanent


def test_the_record_survives_its_own_json() -> None:
    record = course()[0].record
    assert TreatmentRecord.model_validate_json(record.model_dump_json()) == record


def test_a_behaviour_that_never_shows_is_refused_and_not_called_removed() -> None:
    with pytest.raises(PlanError, match="none of 6 answers"):
        run_course(subject(), says_letter("\ue000"), None, Plan(kind="steer"))


@pytest.mark.parametrize(
    ("kind", "words"), [("stear", "cannot be made"), ("low-rank", "needs a reference"), ("unlearn", "answered instead")]
)
def test_a_kind_that_cannot_be_made_is_refused_before_anything_is_looked_at(
    kind: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brainscan.treatment.course.look_before", None)
    with pytest.raises(UsageError, match=words):
        run_course(subject(), says_letter(), None, Plan(kind=kind))


def test_the_subject_is_the_same_afterwards() -> None:
    _, mine, weights = course()
    assert all(torch.equal(weight, weights[name]) for name, weight in mine.model.state_dict().items())
    assert not mine.standing
