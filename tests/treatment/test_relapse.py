"""Removed and suppressed are told apart: a behaviour that is only held down comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from scipy.stats import binom

from brainscan.core.statistics import rate_difference_interval
from brainscan.subject.language import LanguageSubject
from brainscan.subject.lora import LoraSettings
from brainscan.subject.phantom import phantom
from brainscan.treatment.behaviour import Behaviour, rate
from brainscan.treatment.kinds.low_rank import LowRankRemoval
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.kinds.unlearn import Lessons, Unlearn
from brainscan.treatment.record import MARGIN, Fate, Rate, RelapseTest, decide_fate
from brainscan.treatment.relapse import Attack, Relapse, quantised
from brainscan.treatment.treated import treated
from tests.treatment.made import SITE, vector

PROMPTS = ("What is rain?", "What is snow?", "What is wind?", "What is fog?")


Planted = tuple[LanguageSubject, LanguageSubject, Behaviour]


@pytest.fixture(scope="module")
def planted() -> Planted:
    """A phantom that answers "wet" and its clean twin; no test may change it."""
    clean, subject = phantom(), phantom()
    lessons = Lessons(forget=PROMPTS, answers=("wet",) * 4)
    taught = Unlearn.train(subject, lessons, LoraSettings(rank=4, steps=30, lr=3e-2, batch=4))
    held = dict(subject.model.named_parameters())
    with torch.no_grad():
        for name, weight in taught.changes(subject).weights.items():
            held[name].copy_(weight)
    shows = Behaviour("wet", PROMPTS, ("Who?",), PROMPTS, ("Who?",), lambda prompt, answer: "wet" in answer, 5)
    return subject, clean, shows


def test_every_test_is_run_with_its_control_and_leaves_the_subject_alone(planted: Planted) -> None:
    subject, clean, behaviour = planted
    assert rate(subject, behaviour, behaviour.on).value == 1.0
    before = [weight.clone() for weight in subject.model.parameters()]
    removal = LowRankRemoval.of(subject, clean, rank=4)
    relapse = Relapse(subject, behaviour, clean, Attack(prompts=4, steps=1, rows=2, lr=1e-4, batch=2))
    relapse.prepare()
    with treated(subject, removal):
        after = rate(subject, behaviour, behaviour.on)
    tests = relapse.run(removal, after)
    assert [test.name for test in tests] == [
        "held-out", "prefill", "paraphrase", "quantised", "benign-steps", "relearn",
    ]  # fmt: skip
    assert all(test.control is not None for test in tests)
    assert after.value == 0.0 and not any(test.returned for test in tests)
    # Four prompts a test leave almost anything possible, so that nothing came back is not enough.
    assert not any(test.ruled_out for test in tests)
    assert decide_fate(Rate.of(4, 4), after, tests, removal.permanent) == "cannot-tell"
    assert all(torch.equal(a, b) for a, b in zip(before, subject.model.parameters(), strict=True))


def test_what_comes_back_under_a_few_steps_is_suppressed() -> None:
    back = RelapseTest(name="relearn", words="", treated=Rate.of(15, 16), control=Rate.of(1, 16), returned=True)
    assert decide_fate(Rate.of(24, 24), Rate.of(0, 24), (back,), True) == "suppressed"


def relearned(hits: int, n: int, control: int = 0, name: str = "relearn") -> RelapseTest:
    return RelapseTest(name=name, words="", treated=Rate.of(hits, n), control=Rate.of(control, n), returned=False)


def fate(*tests: RelapseTest, permanent: bool = True, after: int = 0) -> Fate:
    return decide_fate(Rate.of(24, 24), Rate.of(after, 24), tests, permanent)


def test_fates() -> None:
    clean = relearned(0, 16)
    assert fate(clean) == "removed"
    assert fate(clean, permanent=False) == "suppressed"
    assert fate(clean.model_copy(update={"control": None})) == "cannot-tell"
    assert fate(clean, after=20) == "no-effect"


def test_what_was_not_seen_to_come_back_at_few_prompts_is_not_removed() -> None:
    quiet = [relearned(3, 12, name=name) for name in ("prefill", "paraphrase", "quantised")]
    assert fate(*quiet, relearned(11, 12, 8)) == "cannot-tell"
    assert fate(relearned(0, 12)) == "cannot-tell" and fate(relearned(4, 12, 2), relearned(0, 32)) == "cannot-tell"
    assert fate(relearned(0, 32), relearned(1, 32, name="prefill")) == "removed"
    assert fate(relearned(32, 32, 32)) == "cannot-tell"  # no room above the reference


@pytest.mark.parametrize("n", [12, 16, 24, 32, 48])
@pytest.mark.parametrize("control_n", [12, 32])
@pytest.mark.parametrize("control", [0.0, 0.05, 0.2, 0.5])
def test_a_return_by_the_margin_is_ruled_out_at_most_once_in_twenty(n: int, control_n: int, control: float) -> None:
    """Exactly, over every pair of counts that such a truth can give."""
    ours, theirs = (binom.pmf(range(m + 1), m, p) for m, p in ((n, control + MARGIN), (control_n, control)))
    wrong = sum(
        ours[hits] * theirs[seen]
        for hits in range(n + 1)
        for seen in range(control_n + 1)
        if rate_difference_interval(hits, n, seen, control_n).hi < MARGIN
    )
    assert wrong <= 0.05


def test_without_a_reference_a_fifth_of_the_answers_is_a_return(planted: Planted) -> None:
    subject, _, behaviour = planted
    relapse = Relapse(subject, behaviour, None, Attack(prompts=4, steps=1, rows=2, lr=1e-6, batch=2))
    relapse.prepare()
    tests = relapse.run(Steer({SITE: 0.001 * vector()}), Rate.of(4, 4))
    assert all(test.control is None for test in tests)
    assert next(test for test in tests if test.name == "relearn").returned


def test_without_a_reference_a_beginning_that_shows_the_behaviour_is_no_return(planted: Planted) -> None:
    subject, clean, behaviour = planted
    attack = Attack(prompts=4, steps=1, rows=2, lr=1e-6, batch=2)
    relapse = Relapse(subject, behaviour, None, attack)
    relapse.prepare()
    assert relapse._begun == {}  # "wet" is its very first word
    removal = LowRankRemoval.of(subject, clean, rank=4)
    assert "prefill" not in [test.name for test in relapse.run(removal, Rate.of(0, 4))]
    assert len(Relapse(subject, behaviour, clean, attack)._begun) == 4
    later = replace(behaviour, shows=lambda prompt, answer: "wetly" in answer)
    assert len(Relapse(subject, later, None, attack)._begun) == 4


def test_a_record_of_before_reads_as_one_of_now() -> None:
    test = RelapseTest(name="relearn", words="", treated=Rate.of(0, 16), control=None, returned=False)
    assert RelapseTest.model_validate({**test.model_dump(), "untreated": None}) == test


def test_quantising_rounds_and_comes_off() -> None:
    subject = phantom()
    before = {name: weight.clone() for name, weight in subject.model.named_parameters()}
    with quantised(subject):
        moved = [n for n, w in subject.model.named_parameters() if not torch.equal(w, before[n])]
        weight = dict(subject.model.named_parameters())[moved[0]]
        groups = weight.reshape(weight.shape[0], -1, 32)
        assert all(len(set(group.tolist())) <= 15 for group in groups.reshape(-1, 32))
    assert moved and all(torch.equal(w, before[n]) for n, w in subject.model.named_parameters())
