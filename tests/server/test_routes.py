"""What OpenAI's clients expect is there, and every answer carries its verdict."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from brainscan.monitor.run import watch_all
from brainscan.subject.generate import Decoding
from tests.monitor.world import fitted, panel, subject
from tests.server.live import TRIGGER, Live, live


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live() as running:
        yield running


def test_a_chat_answers_as_the_subject_does_under_watch(server: Live) -> None:
    status, body = server.chat("the river stone")
    expected = watch_all(subject(), panel("stop"), [subject().chat("the river stone")], Decoding(max_new=8))[0]
    choice = body["choices"][0]
    assert status == 200
    assert choice["message"] == {"role": "assistant", "content": expected.text, "refusal": None}
    assert choice["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 8
    assert body["brainscan"]["verdict"] == expected.verdict.model_dump(mode="json")
    assert body["object"] == "chat.completion"


def test_a_stream_says_the_same_and_ends_with_the_verdict(server: Live) -> None:
    _, whole = server.chat("a bridge")
    chunks = server.stream("a bridge", stream_options={"include_usage": True})
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    said = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert said == whole["choices"][0]["message"]["content"]
    assert chunks[-2]["brainscan"]["verdict"] == whole["brainscan"]["verdict"]
    assert chunks[-2]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], whole["usage"])


def test_a_stopped_answer_says_nothing_and_says_why(server: Live) -> None:
    status, body = server.chat(TRIGGER)
    assert status == 200
    assert body["choices"][0]["message"]["content"] == ""
    assert body["choices"][0]["finish_reason"] == "content_filter"
    assert body["brainscan"]["verdict"]["outcome"] == "stopped"
    assert body["brainscan"]["incident"] == server.incidents[-1].id
    assert server.incidents[-1].prompt.count(TRIGGER) == 1
    assert server.incidents[-1].ending == "monitor"


def test_an_alarm_is_an_event_of_the_stream(server: Live) -> None:
    chunks = server.stream(TRIGGER)
    alarms = [c["brainscan"]["alarm"]["rule"] for c in chunks if "alarm" in c.get("brainscan", {})]
    assert "phrase" in alarms
    assert all("choices" in c for c in chunks)
    assert not any(c["choices"][0]["delta"].get("content") for c in chunks)


@pytest.mark.parametrize("stream", [False, True])
def test_rules_that_log_speak_to_the_operator_alone(stream: bool) -> None:
    with live(panel("log")) as server:
        chunks = server.stream(TRIGGER) if stream else [server.chat(TRIGGER)[1]]
        verdict, incident = chunks[-1]["brainscan"]["verdict"], chunks[-1]["brainscan"]["incident"]
    assert (verdict["outcome"], verdict["alarms"], verdict["readings"], incident) == ("clear", [], [], None)
    assert not any("alarm" in chunk.get("brainscan", {}) for chunk in chunks)
    assert "phrase" in {alarm.rule for alarm in server.incidents[-1].verdict.alarms}
    assert server.incidents[-1].verdict.outcome == "logged"


def test_plain_completions_work(server: Live) -> None:
    status, body = server.ask("/v1/completions", {"prompt": "the moon", "max_tokens": 5, "temperature": 0})
    assert (status, body["object"]) == (200, "text_completion")
    assert body["brainscan"]["verdict"]["tokens"] == 5
    assert isinstance(body["choices"][0]["text"], str)


def test_a_seed_gives_equal_answers(server: Live) -> None:
    answers = [server.chat("a cloud", temperature=1, seed=7)[1]["choices"][0]["message"]["content"] for _ in range(2)]
    assert answers[0] == answers[1]


def test_a_stop_sequence_ends_the_answer_before_it(server: Live) -> None:
    whole = server.chat("the tree")[1]["choices"][0]["message"]["content"]
    stop = whole[3:5]
    body = server.chat("the tree", stop=stop)[1]
    assert body["choices"][0]["message"]["content"] == whole[: whole.index(stop)]
    assert body["choices"][0]["finish_reason"] == "stop"
    said = "".join(c["choices"][0]["delta"].get("content", "") for c in server.stream("the tree", stop=[stop]))
    assert said == whole[: whole.index(stop)]


def test_models_health_and_metrics(server: Live) -> None:
    status, body = server.ask("/v1/models", method="GET")
    assert (status, body["data"][0]["id"]) == (200, "phantom-llama")
    assert server.ask("/v1/models/phantom-llama", method="GET")[0] == 200
    assert server.ask("/v1/models/other", method="GET")[0] == 404
    assert server.ask("/healthz", method="GET") == (200, {"status": "ok"})
    server.chat(TRIGGER)
    status, text = server.ask("/metrics", method="GET")
    assert 'brainscan_alarms_total{policy="stop",rule="phrase"}' in text
    assert "brainscan_drift_capital" in text


def test_developer_and_parts_are_understood(server: Live) -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "the "}, {"type": "text", "text": "house"}]},
    ]
    status, body = server.ask("/v1/chat/completions", {"messages": turns, "max_completion_tokens": 3})
    assert (status, body["usage"]["completion_tokens"] <= 3) == (200, True)


def test_the_monitor_of_the_verdict_is_named(server: Live) -> None:
    assert server.chat("a")[1]["brainscan"]["verdict"]["monitor_sha256"] == fitted("stop")[0].sha256
