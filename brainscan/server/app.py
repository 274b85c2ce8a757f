"""The application: OpenAI's routes over the engine. It parses, submits, and passes events on."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException

from brainscan.core.errors import InputError, MissingChatTemplate, TooLong
from brainscan.core.visible import visible
from brainscan.server.engine import Busy, Engine, deadline
from brainscan.server.job import Done, Job, Piece, Raised, usage
from brainscan.server.messages import ChatRequest, CompletionRequest, Shape, error_body
from brainscan.server.metrics import Metrics
from brainscan.server.settings import ServeSettings
from brainscan.subject.generate import Decoding
from brainscan.subject.language import LanguageSubject

_FINISH = {
    "end": "stop",
    "stop": "stop",
    "length": "length",
    "timeout": "length",
    "shutdown": "length",
    "cancelled": "length",
    "monitor": "content_filter",
    "abstained": "stop",
}
"""How an answer ended, in the words that clients know."""

_SAID = {
    404: "There is no such path here.",
    405: "This path has another method.",
    413: "The request is larger than this server takes.",
}

_CHARACTERS_A_TOKEN = 64
"""Text beyond so many characters for every token that the model can read is refused without being split."""


def make_app(subject: LanguageSubject, engine: Engine, metrics: Metrics, settings: ServeSettings) -> FastAPI:
    """The application over an engine; ``guard`` belongs around it.

    Args:
        subject: whose tokenizer reads requests; the engine alone runs it.
    """
    app = FastAPI(title="brainscan", docs_url=None, redoc_url=None, openapi_url=None)
    desk = _Desk(subject, engine, settings)
    _errors(app)

    @app.post("/v1/chat/completions")
    async def chat(asked: ChatRequest, request: Request) -> Response:
        turns = [{"role": _role(m.role), "content": m.words} for m in asked.messages]
        return await desk.serve(asked, await run_in_threadpool(desk.chat_ids, turns), request)

    @app.post("/v1/completions")
    async def complete(asked: CompletionRequest, request: Request) -> Response:
        return await desk.serve(asked, await run_in_threadpool(desk.plain_ids, asked.words), request)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        entry = {"id": subject.card.name, "object": "model", "created": desk.began, "owned_by": "brainscan"}
        return {"object": "list", "data": [entry]}

    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> Response:
        if name != subject.card.name:
            return JSONResponse(error_body("There is no such model here.", "invalid_request_error", "no_model"), 404)
        return JSONResponse((await models())["data"][0])

    @app.get("/healthz")
    async def health() -> Response:
        well = engine.alive and not engine.closing
        return JSONResponse({"status": "ok" if well else "unwell"}, 200 if well else 503)

    @app.get("/metrics")
    async def page() -> Response:
        body = metrics.page(len(engine.active), len(engine.waiting), engine.drift)
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")

    return app


class _Desk:
    """Turns requests into jobs and their events into bodies."""

    def __init__(self, subject: LanguageSubject, engine: Engine, settings: ServeSettings) -> None:
        self.subject, self.engine, self.settings = subject, engine, settings
        self.began = int(time.time())

    def chat_ids(self, turns: list[dict[str, str]]) -> list[int]:
        self._check_size(sum(len(turn["content"]) for turn in turns))
        return self._fitting(self.subject.raw_tokens(self.subject.turns_text(turns)))

    def plain_ids(self, text: str) -> list[int]:
        self._check_size(len(text))
        return self._fitting(self.subject.tokens(text))

    def _check_size(self, characters: int) -> None:
        if characters > _CHARACTERS_A_TOKEN * self.subject.max_length:
            raise TooLong(f"The prompt has {characters:,} characters, more than the model can read.", "Shorten it.")

    def _fitting(self, ids: list[int]) -> list[int]:
        if len(ids) >= self.subject.max_length:
            raise TooLong(
                f"The prompt has {len(ids):,} tokens and leaves no room for an answer: the model reads "
                f"{self.subject.max_length:,} in all.",
                "Shorten it.",
            )
        return self.subject.fits(ids)

    async def serve(self, asked: ChatRequest | CompletionRequest, ids: list[int], request: Request) -> Response:
        job = self._job(asked, ids)
        try:
            self.engine.submit(job)
        except Busy as busy:
            status = 503 if self.engine.closing else 429
            body = error_body(str(busy), "server_error" if status == 503 else "rate_limit_error", "busy")
            return JSONResponse(body, status, {"Retry-After": "1"})
        shape = Shape(job.id, int(time.time()), self.subject.card.name, chat=isinstance(asked, ChatRequest))
        if asked.stream:
            return StreamingResponse(self._stream(job, shape, asked.wants_usage), media_type="text/event-stream")
        return await self._whole(job, shape, request)

    def _job(self, asked: ChatRequest | CompletionRequest, ids: list[int]) -> Job:
        room = self.subject.max_length - len(ids)
        decoding = Decoding(
            max_new=max(1, min(asked.limit or self.settings.max_tokens, self.settings.max_tokens, room)),
            temperature=asked.temperature,
            top_p=asked.top_p,
            seed=asked.seed if asked.seed is not None else uuid.uuid4().int & 0xFFFFFFFF,
        )
        prefix = "chatcmpl" if isinstance(asked, ChatRequest) else "cmpl"
        return Job(
            id=f"{prefix}-{uuid.uuid4().hex}",
            prompt=ids,
            decoding=decoding,
            stops=tuple(asked.stop),
            deadline=deadline(self.settings.request_seconds),
            loop=asyncio.get_running_loop(),
        )

    async def _whole(self, job: Job, shape: Shape, request: Request) -> Response:
        watcher = asyncio.create_task(_cancel_when_gone(job, request))
        text: list[str] = []
        try:
            while not isinstance(event := await job.next(), Done):
                if isinstance(event, Piece):
                    text.append(event.text)
        except asyncio.CancelledError:
            job.cancel()
            raise
        finally:
            watcher.cancel()
        counts = usage(event.prompt_tokens, event.answer_tokens)
        # The monitors have had the whole answer by now: one that they stopped is not shown in part.
        said = "" if event.verdict.outcome in ("stopped", "handed_over", "failed") else "".join(text)
        return JSONResponse(shape.whole(said, _FINISH[event.ending], counts, self._ours(event)))

    async def _stream(self, job: Job, shape: Shape, wants_usage: bool) -> AsyncIterator[bytes]:
        try:
            if shape.chat:
                yield _sse(shape.opening())
            while not isinstance(event := await job.next(), Done):
                if isinstance(event, Piece):
                    yield _sse(shape.chunk(event.text))
                elif isinstance(event, Raised) and event.alarm.policy != "log":
                    yield _sse(shape.chunk(None, ours={"alarm": event.alarm.model_dump(mode="json")}))
            yield _sse(shape.chunk(None, _FINISH[event.ending], self._ours(event)))
            if wants_usage:
                yield _sse(shape.usage(usage(event.prompt_tokens, event.answer_tokens)))
            yield b"data: [DONE]\n\n"
        finally:
            job.cancel()  # means nothing to a job that is done

    def _ours(self, done: Done) -> dict[str, Any]:
        """What is said beside an answer. Rules whose policy is to log speak to the operator alone."""
        silent = {rule.name for rule in self.engine.panel.monitor.rules if rule.policy == "log"}
        verdict = done.verdict.without(silent)
        return {
            "verdict": verdict.model_dump(mode="json"),
            "ending": done.ending,
            "incident": done.incident if verdict.alarms or verdict.failure else None,
        }


async def _cancel_when_gone(job: Job, request: Request) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(0.2)
    job.cancel()


def _sse(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


def _role(role: str) -> str:
    return "system" if role == "developer" else role


def _errors(app: FastAPI) -> None:
    """Every error in the form that clients know, with nothing of the server's inside in it."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        said = visible(f"{where}: {first['msg']}" if where else str(first["msg"]), keep="", limit=300)
        return JSONResponse(error_body(said, "invalid_request_error", "invalid"), 400)

    @app.exception_handler(InputError)
    async def unusable(_: Request, error: InputError) -> Response:
        code = "context_length_exceeded" if isinstance(error, TooLong) else "invalid_prompt"
        return JSONResponse(error_body(str(error), "invalid_request_error", code), 400)

    @app.exception_handler(MissingChatTemplate)
    async def no_template(_: Request, error: MissingChatTemplate) -> Response:
        return JSONResponse(error_body(str(error), "invalid_request_error", "no_chat_template"), 400)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        said = _SAID.get(error.status_code, "The request cannot be read.")
        return JSONResponse(error_body(said, "invalid_request_error", "refused"), error.status_code)

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> Response:
        return JSONResponse(error_body("The server made a mistake.", "server_error", "internal_error"), 500)
