"""The requests that are understood and the answers that are given: OpenAI's form, with one field of our own.

What would change the answer and is not implemented is refused; what would not is ignored.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

OURS = "brainscan"
"""The extra field of answers and chunks: the verdict, or an alarm."""

_REFUSED: dict[str, tuple[Any, ...]] = {
    "n": (None, 1),
    "best_of": (None, 1),
    "logprobs": (None, False),
    "echo": (None, False),
    "suffix": (None, ""),
    "tools": (None, []),
    "functions": (None, []),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "response_format": (None, {"type": "text"}),
}
"""Fields that are not implemented -> values that ask for nothing."""


class _Asked(BaseModel):
    """What both kinds of requests share."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(default="", max_length=512)
    temperature: float = Field(default=0.0, ge=0, le=2)
    """Greedy unless asked for: what a monitor promises, it promises of greedy answers."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=1 << 63)
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    stop: list[str] = Field(default_factory=list, max_length=4)
    max_tokens: int | None = Field(default=None, ge=1)

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop(cls, value: Any) -> Any:
        return [] if value is None else [value] if isinstance(value, str) else value

    @field_validator("stop")
    @classmethod
    def _full_stop(cls, value: list[str]) -> list[str]:
        if any(not 0 < len(text) <= 200 for text in value):
            raise ValueError("stop sequences have 1 to 200 characters")
        return value

    @field_validator("temperature", "top_p", "stream", mode="before")
    @classmethod
    def _null_is_default(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None else value

    @model_validator(mode="after")
    def _only_what_is_implemented(self) -> _Asked:
        extra = self.model_extra or {}
        for name, harmless in _REFUSED.items():
            if name in extra and extra[name] not in harmless:
                raise ValueError(f"{name} is not implemented")
        return self

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with the number of tokens."""
        return bool((self.stream_options or {}).get("include_usage"))


class Part(BaseModel):
    """One part of a message."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """One turn of a chat."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    @property
    def words(self) -> str:
        """The text of all its parts."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class ChatRequest(_Asked):
    """Body of ``POST /v1/chat/completions``."""

    messages: list[Message] = Field(min_length=1, max_length=1000)
    max_completion_tokens: int | None = Field(default=None, ge=1)

    @property
    def limit(self) -> int | None:
        """Tokens asked for."""
        return self.max_completion_tokens or self.max_tokens


class CompletionRequest(_Asked):
    """Body of ``POST /v1/completions``."""

    prompt: str | list[str]

    @field_validator("prompt")
    @classmethod
    def _one_prompt(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, list) and len(value) != 1:
            raise ValueError("one prompt a request")
        return value

    @property
    def words(self) -> str:
        """The prompt."""
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]

    @property
    def limit(self) -> int | None:
        """Tokens asked for."""
        return self.max_tokens


def error_body(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """An error as clients know it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class Shape:
    """Builds the bodies of one answer, of either kind.

    Args:
        id, created, model: what every body repeats.
        chat: chat completions, else plain completions.
    """

    def __init__(self, id: str, created: int, model: str, *, chat: bool) -> None:
        self.id, self.created, self.model, self.chat = id, created, model, chat

    def whole(self, text: str, finish: str, usage: dict[str, int], ours: dict[str, Any]) -> dict[str, Any]:
        """A complete answer."""
        content = {"message": {"role": "assistant", "content": text, "refusal": None}} if self.chat else {"text": text}
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": finish}
        return {**self._head(stream=False), "choices": [choice], "usage": usage, OURS: ours}

    def chunk(self, text: str | None, finish: str | None = None, ours: dict[str, Any] | None = None) -> dict[str, Any]:
        """One piece of a stream; with ``text`` None it says nothing, as an alarm does."""
        if self.chat:
            delta: dict[str, Any] = {} if text is None else {"content": text}
            content: dict[str, Any] = {"delta": delta}
        else:
            content = {"text": text or ""}
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": finish}
        return {**self._head(stream=True), "choices": [choice], **({OURS: ours} if ours else {})}

    def opening(self) -> dict[str, Any]:
        """The first piece of a chat's stream, which says who speaks."""
        first = self.chunk("")
        first["choices"][0]["delta"]["role"] = "assistant"
        return first

    def usage(self, usage: dict[str, int]) -> dict[str, Any]:
        """The last piece of a stream that was asked to count."""
        return {**self._head(stream=True), "choices": [], "usage": usage}

    def _head(self, *, stream: bool) -> dict[str, Any]:
        kind = ("chat.completion.chunk" if stream else "chat.completion") if self.chat else "text_completion"
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}
