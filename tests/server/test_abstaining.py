"""Under a guarantee the server holds an answer back until it is judged, and says so when it abstains."""

from __future__ import annotations

import pytest

from brainscan.monitor.abstain import ABSTAINED
from tests.monitor.test_abstain import with_threshold
from tests.monitor.world import panel
from tests.server.live import TRIGGER, live


@pytest.mark.parametrize(("threshold", "given"), [(1e6, True), (-1e6, False)])
def test_an_answer_is_given_whole_or_not_at_all(threshold: float, given: bool) -> None:
    with live(panel("log"), abstainer=with_threshold(threshold)) as server:
        _, body = server.chat("the river stone")
        chunks = server.stream("the river stone")
    said = [c["choices"][0]["delta"]["content"] for c in chunks if c["choices"][0]["delta"].get("content")]
    assert len(said) == 1
    assert said[0] == body["choices"][0]["message"]["content"]
    assert (said[0] == ABSTAINED) == (not given)
    assert (body["brainscan"]["ending"] == "abstained") == (not given)
    assert body["brainscan"]["verdict"]["doubt"] is not None


def test_an_answer_that_was_held_back_is_told_to_drift_and_its_log_to_nobody() -> None:
    with live(panel("log"), abstainer=with_threshold(None)) as server:
        _, body = server.chat(TRIGGER)
        assert server.service.engine.drift.seen == 1
    assert body["brainscan"]["ending"] == "abstained"
    assert (body["brainscan"]["verdict"]["alarms"], body["brainscan"]["incident"]) == ([], None)
    assert server.incidents


def test_an_answer_drawn_in_another_way_is_held_back() -> None:
    with live(panel("log"), abstainer=with_threshold(1e6)) as server:
        _, body = server.chat("the river stone", temperature=0.7)
    assert body["choices"][0]["message"]["content"] == ABSTAINED
