"""Bodies that are no requests, clients that vanish, readers that do not read, and an end in mid-stream."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from brainscan.core.errors import StorageError
from brainscan.monitor.incident import Incident
from tests.monitor.world import panel, subject
from tests.server.live import TRIGGER, Live, endless, live


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(max_body=200_000) as running:
        yield running


def wait_until(true: Any) -> None:
    """Give other threads time until something holds; a minute at most."""
    end = time.monotonic() + 60
    while not true() and time.monotonic() < end:
        threading.Event().wait(0.01)
    assert true()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"messages": 3}',
        b'{"messages": []}',
        b'{"messages": [{"role": "king", "content": "x"}]}',
        b'{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}',
        b'{"messages": [{"role": "user", "content": "x"}], "temperature": "NaN"}',
        b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}',
        b'{"messages": [{"role": "user", "content": "x"}], "n": 2}',
        b'{"messages": [{"role": "user", "content": "x"}], "tools": [{}]}',
        b'{"messages": [{"role": "user", "content": "x"}], "stop": ["", "a"]}',
        b'{"messages": [{"role": "user", "content": "x"}], "seed": 1e400}',
        b"[" * 50_000,
    ],
)
def test_a_malformed_body_is_answered_in_the_form_of_clients(server: Live, body: bytes) -> None:
    status, answer = server.ask("/v1/chat/completions", body)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"


def test_hidden_characters_of_a_body_do_not_come_back(server: Live) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "x"}], "\x1b[31m": 1, "n": "\x1b[2J"})
    assert "\\u001b" not in json.dumps(server.ask("/v1/chat/completions", body.encode())[1])


def test_a_prompt_beyond_what_the_model_reads_is_refused(server: Live) -> None:
    status, answer = server.chat("a " * 5_000)
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")


def test_turns_that_the_template_refuses_are_refused(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{{ raise_exception('System role not supported\x1b[2J') }}"
    monkeypatch.setattr(subject().tokenizer, "chat_template", template)
    status, answer = server.chat("hello")
    assert (status, answer["error"]["code"]) == (400, "invalid_prompt")
    assert "System role not supported" in answer["error"]["message"]
    assert "\x1b" not in answer["error"]["message"]


@pytest.mark.parametrize("body", [b'{"messages": [{"role": "user", "content": "\\ud800"}]}', b'{"prompt": "\\ud800"}'])
def test_half_a_surrogate_pair_is_refused(server: Live, body: bytes) -> None:
    path = "/v1/chat/completions" if b"messages" in body else "/v1/completions"
    status, answer = server.ask(path, body)
    assert (status, answer["error"]["code"]) == (400, "invalid_prompt")


def test_a_mistake_of_the_server_is_answered_in_the_form_of_clients(
    server: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(turns: Any) -> str:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(subject(), "turns_text", broken)
    status, answer = server.chat("hello")
    assert (status, answer["error"]["type"]) == (500, "server_error")
    assert "secret" not in answer["error"]["message"]


def test_a_body_beyond_the_limit_is_refused_unread(server: Live) -> None:
    assert server.chat("a" * 250_000)[0] == 413


def test_a_chunked_body_beyond_the_limit_is_refused(server: Live) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        part = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
        for _ in range(4):
            client.sendall(part)
        assert b"413" in client.recv(4096)


def test_other_types_and_hosts_are_refused(server: Live) -> None:
    assert server.ask("/v1/completions", b"{}", headers={"Content-Type": "text/plain"})[0] == 415
    assert server.ask("/healthz", method="GET", headers={"Host": "evil.example"})[0] == 403
    assert server.ask("/nowhere", method="GET")[0] == 404
    assert server.ask("/v1/completions", method="GET")[0] == 405


def test_a_token_is_asked_for() -> None:
    token = "correct-horse-battery"
    with live(token=token) as server:
        assert server.ask("/healthz", method="GET")[0] == 200
        for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {token}"}):
            status, body = server.ask("/v1/models", method="GET", headers=wrong)
            assert (status, body["error"]["code"]) == (401, "invalid_api_key")
            assert server.ask("/metrics", method="GET", headers=wrong)[0] == 401
        assert server.ask("/v1/models", method="GET", headers={"Authorization": f"Bearer {token}"})[0] == 200


def begin_stream(server: Live, **options: Any) -> socket.socket:
    """A raw connection whose answer has begun."""
    turns = [{"role": "user", "content": endless()}]
    asked = {"messages": turns, "stream": True, "temperature": 0, **options}
    body = json.dumps(asked).encode()
    client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    return client


def test_a_client_that_vanishes_frees_its_place() -> None:
    with live(panel("log"), max_tokens=100_000) as server:
        clients = [begin_stream(server, max_tokens=4000) for _ in range(5)]
        wait_until(lambda: len(server.service.engine.active) == 5)
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        wait_until(lambda: not server.service.engine.active)
        assert server.chat("still there")[0] == 200


def test_a_reader_that_does_not_read_makes_nobody_wait() -> None:
    with live(panel("log"), max_tokens=4000, request_seconds=3.0, send_seconds=1.0) as server:
        slow = begin_stream(server, max_tokens=4000)
        assert server.chat("a quick question")[0] == 200
        wait_until(lambda: not server.service.engine.active)
        slow.close()


def test_a_full_queue_says_come_back() -> None:
    with live(panel("log"), max_active=1, max_queue=1, max_tokens=4000) as server:
        clients = [begin_stream(server, max_tokens=4000) for _ in range(2)]
        status, body = server.chat("one more")
        assert (status, body["error"]["type"]) == (429, "rate_limit_error")
        for client in clients:
            client.close()


def test_a_shutdown_in_mid_stream_ends_with_a_verdict() -> None:
    with live(panel("log"), grace_seconds=0.0, max_tokens=4000) as server:
        client = begin_stream(server, max_tokens=4000)
        wait_until(lambda: bool(server.service.engine.active))
        server.service.stop()
        text = b""
        while part := client.recv(65536):
            text += part
    assert b'"ending": "shutdown"' in text
    assert b'"outcome"' in text
    assert b"[DONE]" in text


def test_an_answer_whose_incident_cannot_be_kept_fails_closed() -> None:
    def full(incident: Incident) -> None:
        raise StorageError("The disk is full.", "Free some space.")

    with live(panel("warn"), full) as server:
        _, body = server.chat(TRIGGER)
    verdict = body["brainscan"]["verdict"]
    assert verdict["outcome"] == "failed"
    assert "The disk is full." in verdict["failure"]
    assert body["choices"][0]["message"]["content"] == ""


def test_an_alarm_in_mid_answer_is_one_incident_that_grows() -> None:
    kept: list[Incident] = []
    with live(panel("warn"), kept.append) as server:
        _, body = server.chat(TRIGGER)
    assert len({incident.id for incident in kept}) == 1
    assert (kept[0].ending, kept[-1].ending) == ("", "length")
    assert body["brainscan"]["incident"] == kept[0].id
    assert len(kept[-1].answer_ids) == 8
