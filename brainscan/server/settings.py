"""What the server allows, and where it may listen."""

from __future__ import annotations

import ipaddress

from pydantic import Field

from brainscan.core.errors import UsageError
from brainscan.core.evidence import Record

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")


class ServeSettings(Record):
    """Limits of the server. Each has a reason to be finite."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    token: str = Field(default="", repr=False)
    """Bearer token that every request but /healthz has to carry; empty asks for none."""
    max_active: int = Field(default=8, ge=1)
    """Answers that are generated at once, in turns."""
    max_queue: int = Field(default=64, ge=0)
    """Requests that wait for their turn; the next one is told to come back later."""
    max_body: int = Field(default=1 << 20, ge=1)
    """Bytes of a request."""
    max_tokens: int = Field(default=1024, ge=1)
    """Tokens of an answer, whatever is asked for."""
    request_seconds: float = Field(default=300.0, gt=0)
    """From arrival to the last token; then the answer ends where it is."""
    send_seconds: float = Field(default=30.0, gt=0)
    """Longest time that a reader may leave one chunk unread before the connection is closed."""
    grace_seconds: float = Field(default=10.0, ge=0)
    """Time that answers get to end by themselves after a SIGTERM."""

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the address."""
        return is_loopback(self.host)


def check_address(settings: ServeSettings) -> None:
    """Refuse to be reachable from elsewhere without a token.

    Raises:
        UsageError: the address is not loopback and there is no token, or the token is easily guessed.
    """
    if not settings.token and not settings.is_local:
        raise UsageError(
            f"{settings.host} can be reached from other machines and no token is set.",
            "Set BRAINSCAN_TOKEN to a long random text, or listen on 127.0.0.1.",
        )
    if settings.token and len(settings.token) < 16:
        raise UsageError("The token is shorter than 16 characters.", "Make one with: openssl rand -hex 24")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
