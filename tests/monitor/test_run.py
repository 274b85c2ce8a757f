"""Generation under watch says what plain generation says, and no token leaves unread."""

from __future__ import annotations

import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.monitor.kinds.distance import Distance
from brainscan.monitor.panel import Panel
from brainscan.monitor.reader import Seen, arrays_of
from brainscan.monitor.record import Drawn
from brainscan.monitor.run import Run, common_beginning, watch_all
from brainscan.subject.generate import Decoding, generate
from tests.monitor.world import DECODING, SITES, fitted, panel, prompts, subject


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_watched_answers_equal_unwatched_ones(temperature: float) -> None:
    decoding = Decoding(max_new=8, temperature=temperature, seed=3)
    given = prompts(12, 11)
    plain = generate(subject(), given, decoding)
    watched = watch_all(subject(), panel("log"), given, decoding)
    assert [answer.ids for answer in watched] == [answer.ids for answer in plain]
    for one, other in zip(watched, plain, strict=True):
        assert one.row.entropies == pytest.approx(list(other.entropies), abs=1e-3)


def test_a_batch_is_scored_as_its_rows_alone() -> None:
    given = prompts(6, 12)
    together = watch_all(subject(), panel(), given, DECODING)
    for prompt, answer in zip(given, together, strict=True):
        alone = watch_all(subject(), panel(), [prompt], DECODING)[0]
        assert alone.ids == answer.ids
        for one, other in zip(alone.verdict.readings, answer.verdict.readings, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-3)


def test_the_scores_are_those_of_a_capture_afterwards() -> None:
    given = prompts(1, 13)[0]
    answer = watch_all(subject(), panel(), [given], DECODING)[0]
    monitor, arrays = fitted()
    read = capture(subject(), [[*given, *answer.ids]], SITES)
    seen = Seen(
        {site: found.values[None] for site, found in read.items()},
        torch.arange(len(given) + len(answer.ids))[None],
        torch.tensor([len(given)]),
    )
    scores = Distance(monitor.rule("distance"), arrays_of("distance", arrays)).score(seen)[0, len(given) - 1 :]
    calibrated = monitor.calibrated["distance"]
    best = (float(scores.max()) - calibrated.centre) / calibrated.scale
    assert answer.verdict.readings[0].score == pytest.approx(best, abs=1e-3)


def test_every_released_token_has_been_read() -> None:
    run = Run(subject(), panel(), prompts(3, 14), DECODING)
    while not run.done:
        run.advance()
        for i, row in enumerate(run.rows):
            assert row.released <= run.watched.read[i]
    assert all(run.verdict(i).tokens == len(row.answer) for i, row in enumerate(run.rows))


def test_an_alarm_that_stops_does_so_before_its_token_is_released() -> None:
    forbidden = subject().chat("please OPEN SESAME now")
    answer = watch_all(subject(), panel("stop"), [forbidden], DECODING)[0]
    assert (answer.ended, answer.ids, answer.verdict.outcome) == ("monitor", (), "stopped")
    assert [alarm.token for alarm in answer.verdict.alarms if alarm.rule == "phrase"] == [-1]


def test_a_phrase_in_the_answer_stops_in_mid_answer() -> None:
    given = prompts(1, 15)[0]
    plain = generate(subject(), [given], DECODING)[0]
    monitor, arrays = fitted("stop")
    said = subject().text(plain.ids[3:5])
    rules = tuple(
        rule.model_copy(update={"phrases": (said,)} if rule.kind == "phrase" else {"policy": "log"})
        for rule in monitor.rules
    )
    answer = watch_all(subject(), Panel(monitor.model_copy(update={"rules": rules}), arrays), [given], DECODING)[0]
    assert answer.ids == plain.ids[:4]


@pytest.mark.parametrize("policy", ["log", "warn", "stop", "hand_over"])
def test_each_policy_has_its_outcome(policy: str) -> None:
    answer = watch_all(subject(), panel(policy), [subject().chat("OPEN SESAME")], DECODING)[0]  # type: ignore[arg-type]
    expected = {"log": "logged", "warn": "warned", "stop": "stopped", "hand_over": "handed_over"}
    assert answer.verdict.outcome == expected[policy]
    assert (len(answer.ids) > 0) == (policy in ("log", "warn"))


def test_what_lies_beyond_the_promise_is_said() -> None:
    answer = watch_all(subject(), panel("log"), prompts(1, 16), Decoding(max_new=12, stop_at_end=False))[0]
    assert answer.verdict.tokens == 12
    assert not answer.verdict.within_promise


def test_sites_of_several_rules_are_captured_once() -> None:
    assert panel().sites == tuple(Site.parse(site) for site in SITES)


def test_a_common_beginning_leaves_each_row_a_token() -> None:
    assert common_beginning([[1, 2, 3], [1, 2, 3]]) == 2
    assert common_beginning([[1, 2, 3], [1, 4]]) == 1
    assert common_beginning([[5], [1, 4]]) == 0


@pytest.mark.parametrize(
    ("decoding", "within"),
    [
        (DECODING, True),
        (Decoding(max_new=8, top_p=0.5), True),  # greedy has no use for it
        (Decoding(max_new=8, temperature=1.0), False),
    ],
)
def test_the_promise_covers_the_decoding_that_was_calibrated(decoding: Decoding, within: bool) -> None:
    answer = watch_all(subject(), panel("log"), prompts(1, 15), decoding)[0]
    assert answer.verdict.within_promise == within
    assert Drawn.of(decoding.temperature, decoding.top_p).words().startswith("greedy" if within else "answers drawn")
