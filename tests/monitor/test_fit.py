"""A fitted monitor keeps its promise on fresh clean prompts and finds what it was taught."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.core.errors import InputError, UsageError
from brainscan.core.statistics import rate_p
from brainscan.dictionary.dictionary import Dictionary
from brainscan.monitor.fit import FitSettings, Lesson, fit
from brainscan.monitor.kinds import feature
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


def test_a_find_in_calibration_traffic_leaves_the_other_rules_their_threshold() -> None:
    clean = prompts(160, 1)
    texts = [subject().text(row) for row in clean]
    at = [int(i) for i in np.random.default_rng([0, 1]).permutation(len(clean))][-1]  # the last one surely calibrates
    words = texts[at].split()
    phrase = next(
        " ".join(w) for w in zip(words, words[1:], words[2:], strict=False) if w[0] in WORDS and w[2] in WORDS
    )
    known = Lesson(Rule(name="known", kind="phrase", title="", phrases=(phrase,)))
    others = [lesson for lesson in lessons() if lesson.rule.kind != "phrase"]
    monitor, _ = fit(subject(), clean, [*others, known], FitSettings(rate=0.05, decoding=DECODING))
    assert "known phrases" in monitor.promise.method
    assert monitor.promise.threshold == pytest.approx(fitted()[0].promise.threshold, rel=0.3)


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
