"""What every request passes before it is read: address, token, size; and what every chunk passes on its way out.

Plain ASGI, so that a refused body is never held and a reader that does not read is noticed.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from brainscan.server.messages import error_body
from brainscan.server.metrics import Metrics
from brainscan.server.settings import LOCAL_NAMES, ServeSettings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_DISCARDED = 8 << 20
"""Bytes of a refused body that are read all the same."""

OPEN_PATHS = frozenset({"/healthz"})
_KNOWN_PATHS = frozenset({"/healthz", "/metrics", "/v1/models", "/v1/chat/completions", "/v1/completions"})


class Guard:
    """Wraps an application."""

    def __init__(self, app: App, settings: ServeSettings, metrics: Metrics) -> None:
        self.app, self.settings, self.metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, then hand it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sender = _Sender(send, self.settings.send_seconds)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            refusal = self._refusal(scope, headers)
            if refusal is None:
                await self.app(scope, self._limited(receive), sender)
            else:
                await _discard(receive)
                await _answer(sender, *refusal)
        except TimeoutError:
            return  # the reader does not read: uvicorn closes a connection whose answer is not complete
        finally:
            path = scope["path"] if scope["path"] in _KNOWN_PATHS else "other"
            self.metrics.requests.labels(path, str(sender.status)).inc()

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, dict[str, Any]] | None:
        if not self.settings.token and not _is_local_name(headers.get("host", "")):
            # A web page that resolves its own name to 127.0.0.1 must not reach the model.
            return 403, error_body("This server answers to localhost only.", "invalid_request_error", "wrong_host")
        if scope["path"] not in OPEN_PATHS and not self._has_token(headers.get("authorization", "")):
            return 401, error_body("The token is missing or wrong.", "authentication_error", "invalid_api_key")
        if scope["method"] == "POST" and not headers.get("content-type", "").startswith("application/json"):
            return 415, error_body("Send application/json.", "invalid_request_error", "wrong_content_type")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self.settings.max_body:
            return 413, self._too_large()
        return None

    def _has_token(self, header: str) -> bool:
        wanted = self.settings.token
        return not wanted or hmac.compare_digest(header.encode(), f"Bearer {wanted}".encode())

    def _too_large(self) -> dict[str, Any]:
        limit = self.settings.max_body
        return error_body(f"The request is larger than {limit:,} bytes.", "invalid_request_error", "too_large")

    def _limited(self, receive: Receive) -> Receive:
        """Counts what is received: a chunked body says no length in advance."""
        seen = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.settings.max_body:
                raise HTTPException(413)
            return message

        return counted


class _Sender:
    """Sends, remembers the status, and gives up on a reader that does not read."""

    def __init__(self, send: Send, seconds: float) -> None:
        self.send, self.seconds, self.status = send, seconds, 0

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await asyncio.wait_for(self.send(message), self.seconds)


async def _discard(receive: Receive) -> None:
    """Read what is left of a refused body, so that its sender gets to read the answer; up to a bound."""
    seen = 0
    while seen < _DISCARDED:
        message = await receive()
        seen += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status == 413:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def _is_local_name(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if not host.endswith("]") and host.count(":") != 0 else host
    return name in LOCAL_NAMES
