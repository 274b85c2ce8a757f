"""The knowledge instrument on phantoms: exact restoring, honest maxima, planted secrets and gaps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brainscan.scan.conformance import check_instrument
from brainscan.scan.instrument import Examination, Report
from brainscan.scan.instruments.knowledge import INSTRUMENT, Knowledge
from brainscan.scan.knowledge import noise, recall
from brainscan.scan.knowledge.lens import token_probabilities
from brainscan.scan.knowledge.prefill import is_right
from brainscan.scan.knowledge.secret import Leaning, peak
from brainscan.scan.record import Step
from brainscan.scan.texts.facts import CAPITALS, Fact
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from brainscan.subject.score import next_token_logits

SMALL: dict[str, int | float | str | bool] = {
    "facts": 12, "asked": 3, "answer_tokens": 4, "noised": 8, "noise_strengths": "few", "noise_seeds": 1, "top": 5,
}  # fmt: skip


class Small(Knowledge):
    """The same instrument on a plan for tests."""

    def settings(self, plan: str) -> dict[str, int | float | str | bool]:
        return SMALL


@pytest.fixture(scope="module")
def subject() -> LanguageSubject:
    return phantom("llama")


@pytest.fixture(scope="module")
def beside_itself(subject: LanguageSubject) -> Report:
    return check_instrument(Small(), subject, phantom("llama"))


def examine(subject: LanguageSubject, reference: LanguageSubject | None = None) -> Report:
    step = Step(instrument="knowledge", title="", settings=SMALL, layers=subject.spread_layers())
    return INSTRUMENT.run(Examination(subject, reference, step, 0))


def weights_of(subject: LanguageSubject) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in subject.model.parameters()]


def test_an_identical_reference_gives_exactly_nothing(beside_itself: Report) -> None:
    shifts = [m for m in beside_itself.measurements if m.name.endswith(".shift")]
    assert {m.name for m in shifts} == {
        f"knowledge.{name}.shift" for name in ("recall.rate", "prefill.gain", "lens.gap", "noise.gain")
    }
    assert all(m.value == 0.0 and m.interval is not None and m.interval.lo == -m.interval.hi for m in shifts)
    assert {m.name: m.value for m in beside_itself.measurements}["knowledge.secret.peak"] == 0.0


def test_a_secret_is_not_measured_without_a_reference(subject: LanguageSubject) -> None:
    report = examine(subject)
    assert "knowledge.secret.peak" not in {m.name for m in report.measurements}
    assert any("secret.peak was not measured" in note for note in report.notes)


def test_a_subject_without_chat_template_is_asked_in_plain_text() -> None:
    report = examine(phantom("gpt2", chat_template=False))
    assert "knowledge.recall.rate" in {m.name for m in report.measurements}


def test_a_scan_leaves_the_weights_bit_for_bit(subject: LanguageSubject) -> None:
    before = weights_of(subject)
    examine(subject)
    assert all(torch.equal(a, b) for a, b in zip(before, weights_of(subject), strict=True))


def test_weights_are_restored_even_when_scoring_fails(
    subject: LanguageSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = weights_of(subject)
    changed: list[bool] = []

    def fail(model: LanguageSubject, items: object) -> np.ndarray:
        changed.append(any(not torch.equal(a, b) for a, b in zip(before, weights_of(model), strict=True)))
        raise KeyboardInterrupt

    monkeypatch.setattr(noise, "_right", fail)
    with pytest.raises(KeyboardInterrupt):
        noise.sweep(subject, [], np.zeros(0), (0.1,), range(1))
    assert changed == [True]
    assert all(torch.equal(a, b) for a, b in zip(before, weights_of(subject), strict=True))


def test_noise_has_the_strength_asked_for_and_repeats() -> None:
    original = torch.full((200, 200), 2.0)
    weight = original.clone()
    noise.perturb([weight], [original], 0.1, seed=3)
    assert float((weight - original).std()) == pytest.approx(0.2, rel=0.05)
    again = original.clone()
    noise.perturb([again], [original], 0.1, seed=3)
    assert torch.equal(weight, again)


def test_the_best_strength_is_never_judged_on_the_items_that_chose_it() -> None:
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(300):
        base = (rng.random(40) < 0.5).astype(float)
        right = (rng.random((6, 40)) < 0.5).astype(float)
        gains.append(noise.Noised((0.1,) * 6, base, right).gains().mean())
    assert abs(np.mean(gains)) < 0.02
    held_back = noise.Noised((0.1, 0.2), np.zeros(40), np.stack([np.ones(40), np.zeros(40)]))
    assert held_back.gains().mean() == 1.0


def test_the_last_layer_s_choice_is_the_model_s_own(subject: LanguageSubject) -> None:
    asked = recall.facts(20, np.random.default_rng(0))
    items = [item for item in recall.items_of(subject, asked) if item]
    recalled = recall.recall(subject, items)
    logits = next_token_logits(subject, [item.ids for item in items])
    own = logits.gather(1, torch.tensor([item.options for item in items])).argmax(1) == 0
    assert len(items) > 3
    assert recalled.right.tolist() == own.tolist()
    ranks = (logits > logits.gather(1, torch.tensor([[item.options[0]] for item in items]))).sum(1)
    assert recalled.rank[:, -1, 0].tolist() == ranks.tolist()


def test_options_differ_and_the_right_one_comes_first(subject: LanguageSubject) -> None:
    for item in recall.items_of(subject, [capital.fact() for capital in CAPITALS[:20]]):
        if item:
            assert len(set(item.options)) == recall.OPTIONS
            assert subject.text([item.options[0]]) in item.fact.right


def test_answers_that_cannot_be_told_apart_are_not_scored(subject: LanguageSubject) -> None:
    alike = Fact("capital", "X", "Which?", "Aaa", ("Aab", "Aac", "B"), "It is")
    assert recall.items_of(subject, [alike]) == (None,)


def test_what_is_held_inside_and_kept_back_is_counted() -> None:
    rank = np.full((2, 12, 4), 1000)
    rank[0, 6, 0] = 0  # held in the middle, gone at the end
    rank[1, 6:, 0] = 0  # held in the middle and said
    recalled = recall.Recalled((), np.zeros((2, 12, 4)), rank)
    assert recalled.withheld(5)[:, 0].tolist() == [True, False]
    assert not recalled.withheld(5)[:, 1:].any()


def test_a_picture_gives_probabilities(subject: LanguageSubject) -> None:
    ids = subject.tokens("What is the capital of France?")
    image = token_probabilities(subject, ids, 40, 10)
    assert image.shape == (subject.n_layers, 10)
    expected = torch.softmax(next_token_logits(subject, [ids])[0], -1)[40]
    assert image[-1, -1] == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (" Paris.", True),
        ("It is PARIS, of course", True),
        ("Not Rome but Paris", False),
        ("Paris, not Rome", True),
        ("Parisian life", False),
        ("", False),
        ("I don't know.", False),
    ],
)
def test_a_right_answer_is_a_word_before_any_wrong_one(answer: str, right: bool) -> None:
    fact = Fact("capital", "France", "What is the capital of France?", "Paris", ("Rome", "Oslo", "Bern"), "It is")
    assert is_right(answer, fact) is right


@given(st.text(max_size=60))
def test_no_answer_breaks_the_judge(answer: str) -> None:
    fact = Fact("odd", "x", "?", "a+(b", ("[", "\\", "."), "It is")
    assert is_right(answer, fact) in (True, False)


def test_a_planted_secret_stands_out_and_a_word_raised_everywhere_does_not() -> None:
    rng = np.random.default_rng(0)
    words = tuple(f"word{i}" for i in range(500))
    base = rng.random((12, 500)) * 0.01
    clean = Leaning(words, base, base[::-1])

    def changed(secret: float, everywhere: float) -> Leaning:
        ours, ordinary = base + rng.normal(0, 1e-3, base.shape), base[::-1] + rng.normal(0, 1e-3, base.shape)
        ours[:, 123] += secret
        ours[:, 7] += everywhere
        ordinary[:, 7] += everywhere
        return Leaning(words, ours, ordinary)

    planted = peak(changed(0.5, 1.0), clean, np.random.default_rng(1))
    assert planted.words[0] == "word123" and planted.z[0] > 20 > planted.chance > 0
    assert peak(changed(0.0, 1.0), clean, np.random.default_rng(1)).z[0] < 2
    assert peak(clean, clean, np.random.default_rng(1)).z == (0.0,) * 10
