"""The refusal instrument on phantoms: the protocol, exact zeros, edits that do what arithmetic says."""

import numpy as np
import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.scan.ask import ask
from brainscan.scan.conformance import check_instrument
from brainscan.scan.instrument import Examination, Report
from brainscan.scan.instruments.refusal import IMAGE, INSTRUMENT, PROFILE
from brainscan.scan.record import Step
from brainscan.scan.refusal.reading import DEVELOPMENT, HELD_OUT, Reading, read
from brainscan.scan.texts.requests import CATEGORIES
from brainscan.subject.edit import Edit
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom

SMALL: dict[str, int | float | str | bool] = {
    "pairs": 16,
    "wrappers": 2,
    "wrapped": 2,
    "edited": 3,
    "null_directions": 2,
    "shuffles": 20,
}


def look(subject: LanguageSubject) -> Reading:
    return read(subject, SMALL, np.random.default_rng(0), lambda fraction, words: None)


def run(subject: LanguageSubject, reference: LanguageSubject | None = None) -> Report:
    step = Step(instrument="refusal", title=INSTRUMENT.title, settings=SMALL)
    return INSTRUMENT.run(Examination(subject, reference, step, 0))


def test_what_chooses_and_what_is_reported_share_no_category() -> None:
    assert not set(DEVELOPMENT) & set(HELD_OUT)
    assert set(DEVELOPMENT) | set(HELD_OUT) == set(CATEGORIES)
    assert {pair.category for pair in look(phantom("llama")).pairs} == set(HELD_OUT)


def test_an_equal_reference_shifts_by_exactly_nothing() -> None:
    found = [m for m in run(phantom("llama"), phantom("llama")).measurements if m.name.endswith(".shift")]
    assert {"refusal.separation.shift", "refusal.margin.shift"} <= {m.name for m in found}
    for m in found:
        assert m.interval is not None and (m.value, m.interval.lo) == (0, -m.interval.hi)
        assert m.interval.hi == 0 or m.unit == "auroc difference"  # eight pairs say little of a rate like this one


def test_a_subject_with_its_direction_projected_out_has_none_left() -> None:
    subject = phantom("llama")
    found = look(subject).separation
    vector, site = torch.tensor(found.direction, dtype=torch.float32), f"resid_post.{found.layer}"
    rows = capture(subject, [ask(subject, "Hello")], [site], edits=[Edit.project_out(site, vector)])
    (values,) = [activations.values for activations in rows.values()]
    assert (values @ (vector / vector.norm())).abs().max() < 1e-4


def test_edits_move_the_first_token_and_unedited_prompts_stay_apart() -> None:
    reading = look(phantom("llama"))
    assert reading.ablated.before == pytest.approx(reading.harmful[:3])
    assert reading.added.before == pytest.approx(reading.harmless[:3])
    assert np.abs(reading.ablated.after - reading.ablated.before).max() > 1e-4
    assert reading.added.null.shape == (2, 3)


@pytest.mark.parametrize("family", ["llama", "falcon"])
def test_the_report_holds_the_protocol(family: str) -> None:
    class Small(type(INSTRUMENT)):
        def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
            return SMALL

    report = check_instrument(Small(), phantom(family))
    layers, tokens = report.arrays[IMAGE].shape
    assert (layers, report.arrays[PROFILE].shape) == (4, (4,))
    assert tokens == len(report.evidence[0].tokens) == len(report.evidence[0].weights)


def test_a_margin_that_is_not_there_has_no_loss_and_a_note_says_so() -> None:
    report = run(phantom("llama"))
    margin = next(m for m in report.measurements if m.name == "refusal.margin")
    lost = [m for m in report.measurements if m.name == "refusal.margin.loss"]
    assert margin.interval is not None
    assert bool(lost) == (margin.interval.lo > 0)
    assert bool(lost) != any("margin.loss was not measured" in note for note in report.notes)


def test_a_subject_without_a_chat_template_is_examined() -> None:
    assert run(phantom("gpt2", chat_template=False)).measurements
