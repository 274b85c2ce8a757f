"""One call to an OpenAI-compatible endpoint, with the standard library alone. What comes back is hostile."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from brainscan.core.errors import PlanError, UsageError
from brainscan.core.visible import visible

_LARGEST = 4_000_000
_SECONDS = 120.0


@dataclass(frozen=True)
class Endpoint:
    """Where the agent's model is reached."""

    url: str
    """Base URL, for example ``http://localhost:8000/v1``."""
    model: str
    key: str = ""
    seconds: float = _SECONDS
    """Longest wait for one reply."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(f"{visible(self.url, keep='')!r} is no http address.", "Set BRAINSCAN_AGENT_URL to one.")

    def __repr__(self) -> str:
        """Without the key, which must not reach a log."""
        return f"Endpoint({self.url!r}, {self.model!r})"

    def chat(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]], seed: int) -> dict[str, Any]:
        """The next message of the assistant: ``content`` and perhaps ``tool_calls``, neither of them checked.

        Raises:
            PlanError: the endpoint cannot be reached, refuses, or sends something that is no chat completion.
        """
        body = {"model": self.model, "messages": messages, "tools": tools, "temperature": 0, "seed": seed}
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}/chat/completions",
            json.dumps(body).encode("utf-8", "backslashreplace"),
            {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.key}"} if self.key else {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as reply:
                return _message(reply.read(_LARGEST))
        except urllib.error.HTTPError as error:
            words = visible(error.read(400).decode("utf-8", "replace"), keep="", limit=200)
            raise PlanError(f"The agent's endpoint refused ({error.code}): {words}.", _STEP) from error
        except (OSError, ValueError) as error:
            raise PlanError(f"The agent's endpoint at {self.url} did not answer: {error}.", _STEP) from error


_STEP = "Check BRAINSCAN_AGENT_URL, BRAINSCAN_AGENT_MODEL and BRAINSCAN_AGENT_KEY, then run the same command again."


def _message(data: bytes) -> dict[str, Any]:
    content = json.loads(data)
    choices = content.get("choices") if isinstance(content, dict) else None
    message = (
        choices[0].get("message") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    )
    if not isinstance(message, dict):
        raise ValueError("the reply is no chat completion")
    return message
