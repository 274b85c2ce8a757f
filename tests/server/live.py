"""A real server on a free port of this machine, over a phantom, and the plainest client there is."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from brainscan.monitor.abstain import Abstainer
from brainscan.monitor.incident import Incident
from brainscan.monitor.panel import Panel
from brainscan.monitor.watch import Watch
from brainscan.server.engine import Origin
from brainscan.server.run import Service
from brainscan.server.settings import ServeSettings
from brainscan.subject.generate import Decoding, generate
from tests.monitor.world import WORDS, subject
from tests.monitor.world import panel as fitted_panel

TRIGGER = "please OPEN SESAME now"


@functools.cache
def endless() -> str:
    """A prompt whose greedy answer goes on for hundreds of tokens: most answers of a phantom end by chance."""
    words = [f"{one} {other}" for one in WORDS for other in WORDS]
    answers = generate(subject(), [subject().chat(text) for text in words], Decoding(max_new=250, rows=128))
    return next(text for text, answer in zip(words, answers, strict=True) if not answer.ended)


@dataclass
class Live:
    """A server that runs, and the incidents that it kept, newest last."""

    service: Service
    incidents: list[Incident] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.service.socket.getsockname()[1]

    def ask(
        self, path: str, body: Any = None, *, method: str = "POST", headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """One request; the body as JSON if it is no bytes; returns status and JSON (or text) of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, data, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text[:1] in "{[" else text

    def chat(self, words: str, **options: Any) -> tuple[int, Any]:
        """One chat completion, greedy and short unless said otherwise."""
        asked = {"messages": [{"role": "user", "content": words}], "temperature": 0, "max_tokens": 8, **options}
        return self.ask("/v1/chat/completions", asked)

    def stream(self, words: str, **options: Any) -> list[dict[str, Any]]:
        """Chunks of a streamed chat, without the final [DONE], which must be there."""
        status, text = self.chat(words, stream=True, **options)
        assert status == 200
        lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
        assert lines[-1] == "[DONE]"
        return [json.loads(line) for line in lines[:-1]]


@contextlib.contextmanager
def live(
    panel: Panel | None = None, keep: Any = None, abstainer: Abstainer | None = None, **settings: Any
) -> Iterator[Live]:
    """Run a server for the time of the block."""
    kept: list[Incident] = []
    chosen = ServeSettings(port=0, **{"grace_seconds": 5.0, **settings})
    origin = Origin("phantom", "monitor.safetensors")
    watch = Watch(subject(), panel or fitted_panel("stop"), abstainer)
    service = Service(watch, origin, keep or kept.append, chosen)
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        yield Live(service, kept)
    finally:
        service.stop()
        thread.join(60)
        assert not thread.is_alive()
