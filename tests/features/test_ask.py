"""Labels from a language model: what it is shown, what is made of its answers, and what an endpoint may send."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from brainscan.core.errors import PlanError, RecordError, UsageError
from brainscan.features.ask import AskingLabeller, endpoint, local
from brainscan.features.label import Label
from brainscan.features.score import Protocol, label_features, lesson_of
from brainscan.subject.phantom import phantom
from tests.features.planted import planted

INDEX = planted(rows=200)


def knowing(question: str) -> str:
    """A model that sees full stops, and reads labels."""
    if question.startswith("Below"):
        return '\n  "Full stops\x1b[31m"  \nand more'
    text = question.split("Text: ")[1].split("\n")[0]
    marks = text.split("<<")[1:]
    if marks:
        return "Yes." if all(mark.startswith(".") for mark in marks) else "no"
    return "yes" if "." in text else "No"


def test_a_model_that_understands_scores_well() -> None:
    labelled = label_features(INDEX, [0], AskingLabeller(INDEX, knowing, "clever"), Protocol(learn=20, test=10))[0]
    assert labelled.label.text == "Full stops<U+001B>[31m" and labelled.label.labeller == "clever"
    assert labelled.detection is not None and labelled.detection.value == 1
    assert labelled.fuzzing is not None and labelled.fuzzing.value == 1


@pytest.mark.parametrize("answer", ["yes", "no", "", "I cannot say"])
def test_a_model_that_always_says_the_same_is_at_chance(answer: str) -> None:
    labelled = label_features(INDEX, [0, 1], AskingLabeller(INDEX, lambda q: answer or "x", "dull"), Protocol(20, 10))
    for each in labelled:
        assert each.detection is not None and each.detection.value == 0.5
        assert each.fuzzing is not None and each.fuzzing.value == 0.5


def test_the_question_shows_every_strength_and_marks_what_fires() -> None:
    asked: list[str] = []
    AskingLabeller(INDEX, lambda q: asked.append(q) or "x", "m").propose(lesson_of(INDEX, 1, Protocol()))
    assert len(asked) == 1 and asked[0].count("\n1. ") == 1 and "\n12. " in asked[0]
    marks = [part.split(">>")[0] for part in asked[0].split("<<")[2:]]  # the first pair is in the instructions
    assert marks and all(mark.endswith("ing") for mark in marks)


def test_a_dead_feature_is_not_asked_about() -> None:
    def never(question: str) -> str:
        raise AssertionError(question)

    assert AskingLabeller(INDEX, never, "m").propose(lesson_of(INDEX, 5, Protocol())).text == ""


class Server(BaseHTTPRequestHandler):
    """Answers with whatever the test put there."""

    status, body = 200, b""
    seen: list[dict[str, object]] = []

    def do_POST(self) -> None:
        held = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append({"path": self.path, "key": self.headers.get("Authorization"), **json.loads(held)})
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    running = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    Server.status, Server.body, Server.seen = 200, b"", []
    yield f"http://127.0.0.1:{running.server_port}/v1"
    running.shutdown()
    running.server_close()
    thread.join()


def test_an_endpoint_is_asked_in_the_openai_form(server: str) -> None:
    Server.body = json.dumps({"choices": [{"message": {"content": "a label"}}]}).encode()
    assert endpoint(server, "m", "secret")("What?") == "a label"
    request = Server.seen[0]
    assert (request["path"], request["key"], request["model"]) == ("/v1/chat/completions", "Bearer secret", "m")
    assert request["temperature"] == 0 and request["messages"] == [{"role": "user", "content": "What?"}]


@pytest.mark.parametrize("message", [{"content": None}, {}, {"content": 3}, {"content": [{"type": "text"}]}])
def test_an_answer_without_a_text_is_no_label(server: str, message: dict[str, object]) -> None:
    Server.body = json.dumps({"choices": [{"message": message}]}).encode()
    with pytest.raises(RecordError, match="holds no text"):
        endpoint(server, "m")("What?")


def test_an_endpoint_that_fails_is_said(server: str) -> None:
    Server.body = b"[]"
    with pytest.raises(RecordError, match="OpenAI form"):
        endpoint(server, "m")("What?")
    Server.status = 500
    with pytest.raises(PlanError, match=r"refused \(500\)"):
        endpoint(server, "m")("What?")
    with pytest.raises(UsageError, match="http"):
        endpoint("file:///etc/passwd", "m")


def test_a_subject_on_this_machine_can_be_asked() -> None:
    answer = local(phantom("llama"))("Say something.")
    assert isinstance(answer, str)
    label = Label(feature=0, labeller="m", text="x")
    windows = lesson_of(INDEX, 0, Protocol(learn=4)).firing
    found = AskingLabeller(INDEX, lambda q: answer, "m").detects(label, windows)
    assert found.shape == (4,) and found.dtype == np.bool_
