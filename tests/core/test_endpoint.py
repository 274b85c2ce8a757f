"""An endpoint may send anything, and whatever is wrong is one sentence without the key."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from brainscan.core.endpoint import Endpoint
from brainscan.core.errors import PlanError, RecordError, UsageError

KEY = "s3cret"


class Raw(socketserver.StreamRequestHandler):
    """Reads a request and sends back the bytes that the test put there."""

    reply: ClassVar[bytes] = b""
    asked: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []

    def handle(self) -> None:
        line, headers = self.rfile.readline().decode(), {}
        while header := self.rfile.readline().decode().strip():
            name, _, value = header.partition(": ")
            headers[name] = value
        self.asked.append((line, headers, self.rfile.read(int(headers["Content-Length"]))))
        self.wfile.write(self.reply)


@pytest.fixture
def address() -> Iterator[str]:
    Raw.asked.clear()
    with socketserver.TCPServer(("127.0.0.1", 0), Raw) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/v1"
        running.shutdown()


def replies(body: bytes, head: str = "HTTP/1.0 200 OK") -> None:
    Raw.reply = head.encode() + b"\r\n\r\n" + body


def complete(url: str) -> object:
    return Endpoint(url, "tiny", KEY, seconds=5.0).complete({"messages": [], "seed": 3})


def test_one_message_is_asked_for_and_handed_on(address: str) -> None:
    replies(b'{"choices": [{"message": {"content": null, "tool_calls": 3}}]}')
    assert complete(address + "/") == {"content": None, "tool_calls": 3}
    line, headers, body = Raw.asked[0]
    assert (line.split()[:2], headers["Authorization"]) == (["POST", "/v1/chat/completions"], f"Bearer {KEY}")
    assert json.loads(body) == {"model": "tiny", "temperature": 0, "messages": [], "seed": 3}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"{}", b"3", b'{"choices": []}', b'{"choices": {"0": 1}}', b'{"choices": [{"message": 3}]}',
        b"\xff\xfe", b"[" * 100_000, b'{"choices": [{"message": {"content": "cut off', b"9" * 5000,
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_said(address: str, body: bytes) -> None:
    replies(body)
    with pytest.raises(RecordError, match="not in the OpenAI form"):
        complete(address)


CHUNKED = "HTTP/1.1 {} \r\nTransfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer: BadStatusLine"),
        (b"", "does not answer: Remote end closed connection"),
        (CHUNKED.format(200).encode() + b"\r\n\r\n40\r\n{", "does not answer: IncompleteRead"),
        (CHUNKED.format(500).encode() + b"\r\n\r\n40\r\n{", r"refused \(500\): its words broke off"),
        (b"HTTP/1.0 500 \r\n\r\n", r"refused \(500\): it does not say why"),
        (b"HTTP/1.0 401 \r\n\r\nwrong key \x1b[31m", r"refused \(401\): wrong key <U\+001B>"),
    ],
)
def test_a_call_that_fails_is_said(address: str, reply: bytes, sentence: str) -> None:
    Raw.reply = reply
    with pytest.raises(PlanError, match=sentence):
        complete(address)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://a b/v1", "http://x\x7f/v1", f"http://{'x' * 70}.invalid"]
)
def test_an_address_that_nobody_answers_at_is_said(url: str) -> None:
    with pytest.raises(PlanError, match="does not answer: "):
        complete(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "ftp://host/x",
        "http://",
        "http://x:port/v1",
        "http://x:99999",
        "http://x:0",
        "http://[x",
    ],
)
def test_only_an_http_address_is_taken(url: str) -> None:
    with pytest.raises(UsageError, match="no http address"):
        Endpoint(url, "tiny")


@pytest.mark.parametrize("key", [f"{KEY}\nX-More: 1", f"{KEY}\r", f"{KEY}é", f"\x00{KEY}"])
def test_the_key_is_in_no_message(key: str) -> None:
    with pytest.raises(UsageError, match="cannot be sent") as caught:
        Endpoint("http://x/v1", "tiny", key)
    assert KEY not in str(caught.value)
    assert KEY not in repr(Endpoint("http://x/v1", "tiny", KEY))
