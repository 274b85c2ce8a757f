"""The contrast instrument on phantoms: what it reads, what it masks, and what a shift is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.probes.validate import Labelled
from brainscan.scan.conformance import check_instrument
from brainscan.scan.contrast.judge import judge
from brainscan.scan.contrast.reading import items_of, read_means, row_of
from brainscan.scan.contrast.shift import shift_along
from brainscan.scan.instrument import Examination, Report
from brainscan.scan.instruments import contrast
from brainscan.scan.instruments.contrast import INSTRUMENT, Contrast
from brainscan.scan.record import Step
from brainscan.scan.texts.contrasts import CONCEPTS, DECEPTION
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom

SMALL: dict[str, int | float | str | bool] = {"contents": 1, "requests": 4, "draws": 19}


class Small(Contrast):
    """The same instrument on a plan for tests."""

    def settings(self, plan: str) -> dict[str, int | float | str | bool]:
        return SMALL


@pytest.fixture(scope="module")
def subject() -> LanguageSubject:
    return phantom("llama")


@pytest.fixture(scope="module", autouse=True)
def few_concepts() -> Iterator[None]:
    """Two concepts are enough to see that each is measured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrast, "CONCEPTS", CONCEPTS[:2])
        yield


@pytest.fixture(scope="module")
def beside_itself(subject: LanguageSubject) -> Report:
    return check_instrument(Small(), subject, phantom("llama"))


def values(report: Report) -> dict[str, float]:
    return {m.name: m.value for m in report.measurements}


def examine(subject: LanguageSubject, reference: LanguageSubject | None) -> Report:
    step = Step(instrument="contrast", title="", settings=SMALL, layers=subject.spread_layers())
    return INSTRUMENT.run(Examination(subject, reference, step, 0))


def test_every_concept_is_measured_beside_its_baselines(beside_itself: Report) -> None:
    found = {m.name: m for m in beside_itself.measurements}
    for concept in contrast.CONCEPTS:
        for quantity in ("auroc", "selectivity", "topical", "shift"):
            assert f"contrast.{concept.name}.{quantity}" in found
        said = " ".join(b.what for b in found[f"contrast.{concept.name}.auroc"].baselines)
        for baseline in ("shuffled labels", "random directions", "words read", "whole prompt", "logistic", "reference"):
            assert baseline in said
    assert len(beside_itself.evidence) <= 12
    assert {f.kind for f in beside_itself.figures} == {"scan-image", "layer-profile"}


def test_an_identical_reference_is_not_moved_at_all(beside_itself: Report) -> None:
    shifts = [m for m in beside_itself.measurements if m.name.endswith(".shift")]
    assert [m.value for m in shifts] == [0.0] * len(contrast.CONCEPTS)
    assert all(m.interval is not None and m.interval.lo == m.interval.hi == 0.0 for m in shifts)


def test_the_words_read_alone_give_nothing_away(beside_itself: Report) -> None:
    for m in beside_itself.measurements:
        if m.name.endswith(".auroc"):
            assert next(b.value for b in m.baselines if b.what.startswith("words read")) == 0.5


def test_another_model_is_moved_and_one_of_another_width_is_not_compared(subject: LanguageSubject) -> None:
    moved = values(examine(subject, phantom("llama", seed=1)))
    assert any(abs(v) > 0.1 for name, v in moved.items() if name.endswith(".shift"))
    unlike = examine(subject, phantom("llama", num_hidden_layers=3))
    assert not any(m.name.endswith(".shift") for m in unlike.measurements)
    assert any("depth or width" in note for note in unlike.notes)


def test_a_subject_without_chat_template_is_read_in_plain_text() -> None:
    plain = phantom("llama", chat_template=False)
    row = row_of(plain, items_of(DECEPTION, 1)[0])
    assert plain.text(row.ids[row.start :]).strip() == DECEPTION.contents[0].begun


def test_only_the_begun_answer_is_read(subject: LanguageSubject) -> None:
    items = items_of(DECEPTION, 2)
    rows = [row_of(subject, item) for item in items]
    for item, row in zip(items, rows, strict=True):
        assert subject.text(row.ids[row.start :]) == item.content.begun
    layers = (1, 2)
    means = read_means(subject, items[:3], layers)
    seen = capture(subject, [rows[2].ids], [Site("resid_post", layer) for layer in layers])
    for at, layer in enumerate(layers):
        expected = seen[Site("resid_post", layer)].rows[0][rows[2].start :].numpy().mean(0)
        assert np.allclose(means[2, at], expected, atol=1e-5)


def test_concepts_are_whole_and_their_arms_match() -> None:
    for concept in CONCEPTS:
        assert len(concept.wordings) == 8 and len(concept.contents) == 8 and len(concept.topical) == 6
        texts = list(concept.texts())
        assert len(set(texts)) == len(texts) and all(text == text.strip() for text in texts)
        for wording in concept.wordings:
            lengths = len(wording.positive.split()), len(wording.negative.split())
            assert abs(lengths[0] - lengths[1]) <= 3


def test_a_planted_concept_is_read_and_a_topic_alone_raises_the_alarm() -> None:
    items = items_of(DECEPTION, 3)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(len(items), 3, 24))
    arms = np.array([item.arm for item in items])
    x[arms == "positive", :, 4] += 6.0
    quiet = judge(items, x, range(3), (0, 2), 49, np.random.default_rng(1))
    assert quiet.auroc > max(0.95, quiet.shuffled.high, quiet.random.high)
    assert (quiet.topical > quiet.threshold).mean() < 0.3
    x[arms == "topical", :, 4] += 6.0
    loud = judge(items, x, range(3), (0, 2), 49, np.random.default_rng(1))
    assert (loud.topical > loud.threshold).mean() > 0.9


def test_a_shift_counts_along_the_direction_and_not_across_it() -> None:
    rng = np.random.default_rng(2)
    y = np.arange(32) % 2 == 0
    x = rng.normal(size=(32, 2, 24))
    x[y, :, 0] += 6.0
    contrast = Labelled(x, y, np.arange(32) // 4)
    reference = rng.normal(size=(20, 2, 24))
    towards, across = reference.copy(), reference.copy()
    towards[:, :, 0] += 3.0
    across[:, :, 9] += 3.0
    along = shift_along(contrast, towards, reference, 99, np.random.default_rng(3))
    beside = shift_along(contrast, across, reference, 99, np.random.default_rng(3))
    assert along.value > along.usual > 0
    assert along.value > 3 * abs(beside.value)
    assert shift_along(contrast, reference, reference, 9, np.random.default_rng(3)).value == 0.0
