"""Listening: the socket, the signals, and an end that loses nothing."""

from __future__ import annotations

import signal
import socket
from types import FrameType

import uvicorn

from brainscan.core.errors import UsageError
from brainscan.monitor.drift import Drift
from brainscan.monitor.watch import Watch
from brainscan.server.app import make_app
from brainscan.server.engine import Engine, Keeper, Limits, Origin
from brainscan.server.guard import Guard
from brainscan.server.metrics import Metrics
from brainscan.server.settings import ServeSettings, check_address

_BACKLOG = 512


class Service:
    """A server with its engine, listening but not yet answering.

    Args:
        watch: who speaks and who watches.
        origin: where both came from.
        keeper: where incidents go.
        settings: what is allowed.

    Raises:
        UsageError: the address may not or cannot be listened on.
    """

    def __init__(self, watch: Watch, origin: Origin, keeper: Keeper, settings: ServeSettings) -> None:
        check_address(settings)
        subject, panel = watch.subject, watch.panel
        self.settings, metrics, drift = settings, Metrics(), Drift(panel.monitor.clean_scores)
        limits = Limits(settings.max_active, settings.max_queue)
        self.engine = Engine(subject, panel, origin, keeper, metrics, drift, limits, watch.abstainer)
        self.socket = _listen(settings)
        config = uvicorn.Config(
            Guard(make_app(subject, self.engine, metrics, settings), settings, metrics),  # type: ignore[arg-type]
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=int(settings.grace_seconds + settings.send_seconds) + 1,
            h11_max_incomplete_event_size=64 << 10,
        )
        self._server = _Server(config, self.engine, settings.grace_seconds)

    @property
    def address(self) -> str:
        """Where it is reached."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def run(self) -> None:
        """Answer until a signal or ``stop``; returns when every answer has ended and every incident is kept."""
        self.engine.start()
        try:
            self._server.run(sockets=[self.socket])
        finally:
            self.engine.close(self.settings.grace_seconds)
            self.engine.join(self.settings.grace_seconds + 30)
            self.socket.close()

    def stop(self) -> None:
        """As a first signal: take on nothing more, let answers end."""
        self.engine.close(self.settings.grace_seconds)
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Tells the engine about a signal at once, while open answers are still being sent."""

    def __init__(self, config: uvicorn.Config, engine: Engine, grace: float) -> None:
        super().__init__(config)
        self.engine, self.grace = engine, grace

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: let answers end. A second Ctrl-C: leave at once.

        uvicorn's own handler would raise the signal again when all is done, and so end the process before the
        engine and the store are closed.
        """
        self.engine.close(self.grace)
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _listen(settings: ServeSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host.strip("[]"), settings.port))
        listening.listen(_BACKLOG)  # who comes before the first answer waits instead of being refused
    except OSError as error:
        listening.close()
        raise UsageError(
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror or error}.",
            "Choose another --port or --host.",
        ) from error
    return listening
