"""One call to an OpenAI-compatible endpoint, with the standard library alone. What comes back is hostile."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from brainscan.core.errors import PlanError, RecordError, UsageError
from brainscan.core.visible import visible

_LARGEST = 4_000_000
_STEP = "Check BRAINSCAN_AGENT_URL, BRAINSCAN_AGENT_MODEL and BRAINSCAN_AGENT_KEY, then run the same command again."


@dataclass(frozen=True)
class Endpoint:
    """Where a language model is reached.

    Raises:
        UsageError: the address is no http address, or the key cannot be sent.
    """

    url: str
    """Base URL, for example ``http://localhost:8000/v1``."""
    model: str
    key: str = field(default="", repr=False)
    """Must not reach a log, and so no message of an error that may quote it."""
    seconds: float = 120.0
    """Longest wait for one reply."""

    def __post_init__(self) -> None:
        if not _is_http(self.url):
            raise UsageError("The endpoint has no http address.", "Write it as http://localhost:8000/v1.")
        if not re.fullmatch("[ -~]*", self.key):
            raise UsageError(
                "The endpoint's key holds a line break or another character that cannot be sent.",
                "Set BRAINSCAN_AGENT_KEY again.",
            )

    def complete(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The assistant's next message at temperature 0; that it is an object is all that was checked.

        Args:
            fields: of the request: ``messages``, ``tools``, ``seed``, ...

        Raises:
            PlanError: the endpoint cannot be reached, refuses, or breaks off.
            RecordError: it sends something that is no chat completion.
        """
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}/chat/completions",
            json.dumps({"model": self.model, "temperature": 0, **fields}).encode(),
            {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.key}"} if self.key else {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as reply:
                return _message(reply.read(_LARGEST))
        except urllib.error.HTTPError as error:
            raise PlanError(f"The endpoint refused ({error.code}): {_words(error)}.", _STEP) from error
        except (OSError, ValueError, OverflowError, HTTPException) as error:
            raise PlanError(f"The endpoint does not answer: {_reason(error)}.", _STEP) from error


def _is_http(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port, or of a bracket
        return False


def _message(data: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError, RecursionError, KeyError, IndexError, TypeError):
        message = json.loads(data)["choices"][0]["message"]
        if isinstance(message, dict):
            return message
    raise RecordError("The endpoint's answer is not in the OpenAI form.", "Check its address.")


def _words(error: urllib.error.HTTPError) -> str:
    """The beginning of what a refusal says."""
    try:
        return visible(error.read(400).decode("utf-8", "replace"), keep="", limit=200) or "it does not say why"
    except (OSError, HTTPException):
        return "its words broke off"


def _reason(error: Exception) -> str:
    """What the system says; of anything else the kind alone, for its words may quote the address or the headers."""
    said = getattr(error, "reason", error)
    return visible(str(said), keep="", limit=200) if isinstance(said, OSError) else type(error).__name__
