"""Activation Difference Lens: a constant shift is measured, located, read and steered with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from brainscan.core.errors import PlanError
from brainscan.core.evidence import Status
from brainscan.scan.instrument import Instrument, Report
from brainscan.scan.instruments.lens import INSTRUMENT
from brainscan.scan.logit_lens import read_direction
from brainscan.scan.mean_difference import mean_differences, openings
from brainscan.scan.steered_phrases import steer
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import D_MODEL, phantom
from tests.scan.pairs import examination, jittered, shifted

SMALL = {"texts": 84, "draws": 100, "steered": 0, "pictured": 3}


def look(subject: LanguageSubject, reference: LanguageSubject | None, **settings: Any) -> Report:
    return INSTRUMENT.run(examination(INSTRUMENT, subject, reference, **{**SMALL, **settings}))


def vector(seed: int = 0) -> torch.Tensor:
    return torch.randn(D_MODEL, generator=torch.Generator().manual_seed(seed))


def test_it_keeps_the_protocol_and_quick_does_not_steer() -> None:
    assert isinstance(INSTRUMENT, Instrument)
    assert INSTRUMENT.workload(INSTRUMENT.settings("quick") or {}).tokens_written == 0
    assert INSTRUMENT.workload(INSTRUMENT.settings("standard") or {}).tokens_written > 0


def test_the_same_model_gives_exactly_zero() -> None:
    report = look(phantom(), phantom(), steered=2)
    measured = report.measurements[0]
    assert (measured.value, measured.baselines[0].value) == (0.0, 0.0)
    assert report.evidence == ()
    assert all(not array.any() for array in report.arrays.values())


def test_a_constant_shift_is_the_mean_difference() -> None:
    subject, reference, shift = shifted(1, vector()), phantom("gpt2"), vector()
    opened = openings(subject, ["The river bends.", "A quiet lake.", "Ten boats."], 3)
    layers = mean_differences(
        subject, reference, opened, [0, 1], draws=50, rng=np.random.default_rng(0), progress=lambda f, w: None
    )
    assert not layers[0].relative.any()
    assert layers[1].mean == pytest.approx(shift.expand(5, -1).numpy(), abs=1e-4)
    assert layers[1].relative * layers[1].scale == pytest.approx(float(shift.norm()), rel=1e-4)


def test_a_shift_stands_out_of_random_signs_from_its_layer_on() -> None:
    report = look(shifted(1, vector()), phantom("gpt2"))
    measured = report.measurements[0]
    assert measured.value > 2 * measured.baselines[0].value > 0
    assert measured.interval is not None and measured.interval.method.endswith("not corrected for the choice")
    profile = report.arrays["lens.difference.layers"]
    figure = report.figures[0]
    assert dict(zip(figure.layers, profile > 0, strict=True)) == {layer: layer >= 1 for layer in figure.layers}
    image = report.arrays["lens.difference.request"]
    assert image.shape == (4, len(report.figures[2].tokens))


def test_noise_without_a_direction_is_weaker_than_a_shift_of_its_size() -> None:
    noise = look(jittered(0.01), phantom()).measurements[0]
    shift = look(shifted(1, vector()), phantom("gpt2")).measurements[0]
    assert noise.value / noise.baselines[0].value < shift.value / shift.baselines[0].value


def test_a_direction_reads_as_the_token_it_points_to() -> None:
    subject = phantom(tie_word_embeddings=False)
    token = subject.raw_tokens("Q")[0]
    with torch.no_grad():
        subject.model.model.norm.weight.fill_(1.0)
    words = read_direction(subject, 0.001 * subject.unembedding[token])
    assert words.tokens[0] == "Q"
    assert words.scores == tuple(sorted(words.scores, reverse=True))
    louder = read_direction(subject, 50 * subject.unembedding[token])
    assert louder.scores == pytest.approx(words.scores, abs=1e-3)


def test_steering_is_told_with_its_controls() -> None:
    report = look(shifted(1, 3 * vector()), phantom("gpt2"), steered=4)
    kinds = [piece.kind for piece in report.evidence]
    assert kinds.count("lens-tokens") == sum(layer >= 1.5 for layer in report.figures[0].layers)
    steered = [piece for piece in report.evidence if piece.kind == "steered-text"]
    assert all(piece.status == Status.INTERVENED and piece.exchange for piece in steered)
    assert all("random direction" in piece.summary for piece in steered)


def test_steering_changes_what_is_said_and_keeps_the_plain_answer() -> None:
    runs = steer(
        "subject", phantom(), ["Why?", "How far?"], 1, vector(), 8.0, rng=np.random.default_rng(0),
        progress=lambda f, w: None,
    )  # fmt: skip
    assert len({run.plain for run in runs}) == 1
    assert all(run.answers != run.plain for run in runs)


def test_short_and_repeated_openings_are_left_out() -> None:
    subject = phantom()
    opened = openings(subject, ["The one", "Abc", "The other", "A cat sat"], 3)
    assert [subject.text(row) for row in opened.rows] == ["The o", "A cat"]
    assert opened.frames == (0, 0)


def test_a_model_of_another_width_is_refused() -> None:
    with pytest.raises(PlanError, match="cannot be subtracted"):
        look(phantom(hidden_size=64), phantom())


def test_without_a_reference_it_says_what_to_give() -> None:
    with pytest.raises(PlanError, match="--reference"):
        look(phantom(), None)
