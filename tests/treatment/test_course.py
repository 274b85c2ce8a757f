"""A whole course on a phantom, baselines and relapse included: the record holds together and the subject stays."""

from __future__ import annotations

from functools import cache
from pathlib import Path

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
from brainscan.treatment.record import RECORD_FILE, Rate, RelapseTest, TreatmentRecord
from brainscan.treatment.relapse import Attack
from brainscan.treatment.saved import read_record
from brainscan.treatment.texts.neutral import TEXTS
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
    assert record.fate and record.margin is not None
    assert not record.permanent


def test_the_record_survives_its_own_json() -> None:
    record = course()[0].record
    assert TreatmentRecord.model_validate_json(record.model_dump_json()) == record


def test_a_record_of_before_is_judged_by_the_rule_of_today_and_says_so(tmp_path: Path) -> None:
    record = course()[0].record
    none = Rate.of(0, 12)
    quiet = RelapseTest(name="relearn", words="", treated=none, control=none, returned=False)
    old = {"fate": "removed", "permanent": True, "relapse": (quiet,), "margin": None, "before_on": Rate.of(6, 6)}
    on = record.treated.model_copy(update={"on": none})
    written = record.model_copy(update={**old, "treated": on}).model_dump_json(exclude={"margin"})
    (tmp_path / RECORD_FILE).write_text(written)
    read = read_record(tmp_path)
    assert read.fate == "cannot-tell" and "written as removed" in read.notes[-1]
    assert read.judged_again() == read
    assert "up to 24 points more" in read.meaning


def test_side_effects_are_measured_on_texts_that_no_dose_was_chosen_on() -> None:
    assert not set(Material().texts) & set(TEXTS)
    assert len(set(Material().texts)) == 12


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
