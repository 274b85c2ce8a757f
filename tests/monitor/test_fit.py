"""A fitted monitor keeps its promise on fresh clean prompts and finds what it was taught."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from scipy.stats import norm

from brainscan.core.errors import InputError, UsageError
from brainscan.core.statistics import rate_p
from brainscan.dictionary.dictionary import Dictionary
from brainscan.monitor import fit as fit_module
from brainscan.monitor.conformal import allowed_above
from brainscan.monitor.fit import FitSettings, Lesson, fit
from brainscan.monitor.kinds import feature
from brainscan.monitor.panel import Panel, Track
from brainscan.monitor.record import Rule
from brainscan.monitor.run import watch_all
from tests.monitor.world import DECODING, WORDS, fitted, lessons, panel, prompts, subject


def test_false_alarms_on_fresh_clean_prompts_are_within_the_promise() -> None:
    answers = watch_all(subject(), panel(), prompts(200, 31), DECODING)
    alarms = sum(answer.verdict.outcome != "clear" for answer in answers)
    assert rate_p(alarms, len(answers), 0.05) > 0.01, f"{alarms} alarms"


def test_few_clean_tokens_are_marked() -> None:
    answers = watch_all(subject(), panel(), prompts(200, 32), DECODING)
    for place, rule in enumerate(fitted()[0].rules):
        shares = [a.verdict.readings[place].marked_tokens / (a.verdict.tokens + 1) for a in answers]
        assert sum(shares) / len(shares) < 0.1, rule.name


def test_what_a_probe_was_taught_raises_it() -> None:
    marked = [subject().chat(f"{word} ZZZZ moon") for word in ("stone", "apple", "cloud", "bridge")]
    clean = watch_all(subject(), panel(), prompts(20, 33), DECODING)
    found = watch_all(subject(), panel(), marked, DECODING)
    scores = [answer.verdict.readings[2].score or 0.0 for answer in (*clean, *found)]
    assert sum(scores[20:]) / 4 > sum(scores[:20]) / 20 + 0.5


def test_equal_inputs_give_equal_monitors() -> None:
    again, _ = fit(subject(), prompts(160, 1), lessons(), FitSettings(rate=0.05, decoding=DECODING))
    assert again.sha256 == fitted()[0].sha256


def test_too_few_clean_prompts_name_the_price() -> None:
    with pytest.raises(InputError, match="needs 299 clean prompts"):
        fit(subject(), prompts(50, 1), lessons(), FitSettings())


def test_a_phrase_of_clean_traffic_is_no_alarm() -> None:
    rule = Rule(name="p", kind="phrase", title="", phrases=("<", "e"))
    with pytest.raises(InputError, match="stand in clean traffic"):
        fit(subject(), prompts(100, 1), [Lesson(rule)], FitSettings(rate=0.05, decoding=DECODING))


KNOWN = Lesson(Rule(name="known", kind="phrase", title="", phrases=("SESAME",)))


def spiced(count: int, seed: int, every: int) -> list[list[int]]:
    """Clean prompts of which one in so many holds a watched phrase."""
    spice = [subject().chat(f"the SESAME {WORDS[i % 10]}") for i in range(count // every)]
    return [*prompts(count - len(spice), seed), *spice]


def test_clean_answers_that_hold_a_known_phrase_are_paid_for_by_the_promise() -> None:
    others = [lesson for lesson in lessons() if lesson.rule.kind in ("certainty", "probe")]
    settings = FitSettings(rate=0.1, decoding=DECODING)
    monitor, arrays = fit(subject(), spiced(320, 1, 40), [*others, KNOWN], settings)
    promise, scores = monitor.promise, np.array(monitor.clean_scores)
    assert "held a known phrase" in promise.method
    assert promise.above <= allowed_above(promise.calibration_n, 0.1, 0.95)
    assert (scores > promise.threshold).sum() == promise.above > (scores > 1000).sum() > 0
    answers = watch_all(subject(), Panel(monitor, arrays), spiced(200, 41, 40), DECODING)
    assert rate_p(sum(answer.verdict.outcome != "clear" for answer in answers), len(answers), 0.1) > 0.01


def test_more_phrases_in_clean_answers_than_the_promise_allows_are_refused_with_their_number() -> None:
    with pytest.raises(InputError, match=r"2 of 85 clean answers hold a phrase of known.* leaves room for 0"):
        fit(subject(), spiced(100, 1, 50), [KNOWN], FitSettings(rate=0.05, decoding=DECODING))


def test_the_promise_holds_over_many_calibrations_with_a_phrase_in_one_clean_answer_of_fifty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Scores from a known law, so that the rate of each calibration is known exactly: at most one in twenty may break it."""
    rules = (Rule(name="r", kind="certainty", title=""), KNOWN.rule)
    settings = FitSettings(rate=0.05, decoding=DECODING)
    draft = fit_module.blank(subject(), rules, [[1]], settings)
    rng = np.random.default_rng(0)

    def drawn(*_: object) -> list[fit_module._Scored]:
        said, scores = rng.random(400) < 0.02, rng.standard_normal(400)
        return [
            fit_module._Scored({"r": Track(best=score), "known": Track(best=float(s))}, 1e6 if s else score)
            for s, score in zip(said, map(float, scores), strict=True)
        ]

    monkeypatch.setattr(fit_module, "_score", drawn)
    rates = []
    for _ in range(300):
        with contextlib.suppress(InputError):  # more phrases than the promise allows: refused, nothing is promised
            monitor = fit_module._calibrate(subject(), draft, {}, [], settings, lambda f, w: None)
            rates.append(0.02 + 0.98 * float(norm.sf(monitor.promise.threshold)))
    assert len(rates) > 280
    assert rate_p(sum(rate > 0.05 for rate in rates), len(rates), 0.05) > 0.01


@pytest.mark.parametrize(
    ("lesson", "what"),
    [
        (Lesson(Rule(name="p", kind="probe", title="", sites=("resid_post.1",))), "needs prompts with the concept"),
        (Lesson(Rule(name="f", kind="feature", title="", sites=("resid_post.1",))), "has no dictionary"),
        (Lesson(Rule(name="c", kind="certainty", title="", smooth=0.0)), "smooths by 0"),
    ],
)
def test_a_rule_that_cannot_be_learned_is_refused(lesson: Lesson, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        fit(subject(), prompts(100, 1), [lesson], FitSettings(rate=0.05, decoding=DECODING))


@pytest.mark.parametrize(("shift", "scale"), [(False, 1.0), (True, 1.0), (True, 0.5)])
def test_a_feature_rule_scores_the_dictionary_s_own_pre_activation(shift: bool, scale: float) -> None:
    torch.manual_seed(0)
    dictionary = Dictionary(
        kind="relu",
        W_enc=torch.randn(32, 6),
        b_enc=torch.randn(6),
        W_dec=torch.randn(6, 32),
        b_dec=torch.randn(32),
        activation="relu",
        apply_b_dec_to_input=shift,
        normalisation="none" if scale == 1 else "scale",
        scale_in=scale,
        scale_out=scale,
    )
    arrays = feature.learn(dictionary, 4)
    x = torch.randn(5, 32)
    scores = x @ torch.from_numpy(arrays["weights"]) + float(arrays["bias"])
    assert torch.allclose(scores, dictionary.pre_activations(x)[:, 4], atol=1e-4)


def test_a_feature_that_is_not_there_is_refused() -> None:
    dictionary = Dictionary(
        kind="relu",
        W_enc=torch.eye(3),
        b_enc=torch.zeros(3),
        W_dec=torch.eye(3),
        b_dec=torch.zeros(3),
        activation="relu",
    )
    with pytest.raises(UsageError, match="no feature 3"):
        feature.learn(dictionary, 3)
