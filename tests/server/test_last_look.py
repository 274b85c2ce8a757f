"""However an answer ends, rules of the second stage have a last look, and drift is told what can be compared."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from brainscan.monitor.fit import FLOOR
from brainscan.monitor.incident import Incident
from brainscan.monitor.panel import Panel
from brainscan.monitor.reader import Seen
from brainscan.monitor.record import Drawn, Monitor
from brainscan.monitor.replay import replay
from brainscan.monitor.run import watch_all
from tests.monitor.world import DECODING, fitted, panel, subject
from tests.server.live import endless, live


class SeesAnswers:
    """A rule of the second stage to which every answer is an alarm, and no prompt."""

    def __init__(self, *_: Any) -> None: ...

    def score(self, seen: Seen) -> torch.Tensor:
        inside = seen.positions >= seen.prompt_lengths[:, None]
        return torch.where(inside, 1e6, 0.0)


def suspicious() -> Panel:
    """The monitor, whose second stage looks at every answer and stops it."""
    monitor, arrays = fitted("stop")
    second = monitor.calibrated["second"].model_copy(update={"gate": -1e30, "centre": 0.0, "scale": 1.0})
    wide = Panel(monitor.model_copy(update={"calibrated": {**monitor.calibrated, "second": second}}), arrays)
    wide.readers["second"] = SeesAnswers()
    return wide


def begun() -> str:
    """The middle of the first eight tokens of the endless answer."""
    words = watch_all(subject(), panel("log"), [subject().chat(endless())], DECODING)[0].text
    return words[3:5]


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_sequence_does_not_spare_an_answer_the_last_look(stream: bool) -> None:
    with live(suspicious()) as server:
        if stream:
            chunks = server.stream(endless(), stop=begun())
            ours, alarms = chunks[-1]["brainscan"], [c for c in chunks if "alarm" in c.get("brainscan", {})]
            assert [c["brainscan"]["alarm"]["rule"] for c in alarms] == ["second"]
        else:
            _, body = server.chat(endless(), stop=begun())
            ours = body["brainscan"]
            assert body["choices"][0]["message"]["content"] == ""
        incident = server.incidents[-1]
    assert (ours["ending"], ours["verdict"]["outcome"]) == ("monitor", "stopped")
    assert (incident.ending, incident.id) == ("monitor", ours["incident"])
    assert replay(subject(), suspicious(), incident).same


def test_the_time_limit_does_not_spare_an_answer_the_last_look() -> None:
    kept: list[Incident] = []
    with live(suspicious(), kept.append) as server:
        engine = server.service.engine
        advance = engine._show

        def late(job: Any, run: Any) -> bool:
            job.deadline = -math.inf if run.rows[0].released else job.deadline
            return advance(job, run)

        engine._show = late  # type: ignore[method-assign]
        _, body = server.chat(endless())
    assert body["brainscan"]["verdict"]["outcome"] == "stopped"
    assert kept[-1].ending == "monitor"
    assert 0 < len(kept[-1].answer_ids) < 8


def told(asked: dict[str, Any], changed: Panel | None = None) -> list[float]:
    """What the drift alarm is told about one request."""
    with live(changed or panel("log")) as server:
        seen: list[float] = []
        server.service.engine.drift.see = lambda score: seen.append(score) or 0.0  # type: ignore[method-assign]
        server.chat(endless(), **asked)
    return seen


def test_drift_is_told_the_score_of_as_much_as_was_calibrated() -> None:
    expected = watch_all(subject(), panel("log"), [subject().chat(endless())], DECODING)[0].combined
    assert told({"max_tokens": 8}) == pytest.approx([expected], abs=1e-3)
    assert told({"max_tokens": 40}) == pytest.approx([expected], abs=1e-3)


@pytest.mark.parametrize("asked", [{"max_tokens": 5}, {"stop": "e", "max_tokens": 4}, {"temperature": 1, "seed": 3}])
def test_drift_is_not_told_of_answers_that_cannot_be_compared(asked: dict[str, Any]) -> None:
    assert told({"max_tokens": 40, **asked}) == []


def test_an_answer_in_which_nothing_was_scored_is_no_surprise() -> None:
    monitor, arrays = fitted("log")
    phrase = monitor.model_copy(update={"rules": tuple(rule for rule in monitor.rules if rule.name == "certainty")})
    dumb = Panel(phrase, arrays)
    dumb.readers["certainty"] = Silent()
    assert told({"max_tokens": 8}, dumb) == [FLOOR]


class Silent:
    """A rule that never has anything to score."""

    def __init__(self, *_: Any) -> None: ...

    def score(self, seen: Seen) -> torch.Tensor:
        return torch.full(seen.positions.shape, -torch.inf)


def test_a_request_that_names_no_temperature_is_answered_greedily() -> None:
    with live(panel("log")) as server:
        greedy = server.chat("the river stone")[1]
        for temperature in (None, "left out"):
            turns = [{"role": "user", "content": "the river stone"}]
            named = {"temperature": temperature} if temperature is None else {}
            body = server.ask("/v1/chat/completions", {"messages": turns, "max_tokens": 8, **named})[1]
            assert body["choices"] == greedy["choices"]
            assert body["brainscan"]["verdict"]["within_promise"] is True
        warm = server.chat("the river stone", temperature=1)[1]
    assert warm["brainscan"]["verdict"]["within_promise"] is False


def test_what_was_calibrated_warm_covers_warm_answers() -> None:
    monitor, arrays = fitted("log")
    promise = monitor.promise.model_copy(update={"drawn": Drawn(temperature=1.0)})
    warm: Monitor = monitor.model_copy(update={"promise": promise})
    with live(Panel(warm, arrays)) as server:
        assert server.chat("a tree", temperature=1)[1]["brainscan"]["verdict"]["within_promise"] is True
        assert server.chat("a tree")[1]["brainscan"]["verdict"]["within_promise"] is False
