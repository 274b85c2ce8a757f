"""``brainscan serve``: an OpenAI-compatible server whose every answer carries its monitors' verdict."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.models import progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.core.errors import MissingExtra

_NEEDED = ("fastapi", "uvicorn", "prometheus_client")


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command()(serve)


@plain_errors
def serve(
    subject: Annotated[str, typer.Argument(help="Short name, folder, .gguf file, hub id, or BASE+ADAPTER.")],
    monitor: Annotated[Path, typer.Option(help="A file that monitor fit has written for this subject.")],
    host: Annotated[str, typer.Option(help="Address to listen on; other than loopback needs BRAINSCAN_TOKEN.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8000,
    max_active: Annotated[int, typer.Option(help="Answers generated at once.", min=1)] = 8,
    max_queue: Annotated[int, typer.Option(help="Requests that may wait.", min=0)] = 64,
    max_tokens: Annotated[int, typer.Option(help="Longest answer in tokens.", min=1)] = 1024,
    request_seconds: Annotated[float, typer.Option(help="Longest time for one request.", min=1)] = 300.0,
    grace_seconds: Annotated[float, typer.Option(help="Time to end answers after a SIGTERM.", min=0)] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as JSON.")] = False,
) -> None:
    """Serve a model under watch, with OpenAI's routes. Ctrl-C or SIGTERM ends it; nothing is lost.

    A request that names no temperature is answered greedily, as the monitor was calibrated; one that is drawn otherwise is
    outside its promise, and under a guarantee it is not answered.

    The bearer token is read from BRAINSCAN_TOKEN.

    Example: brainscan serve smollm2-135m-instruct --monitor monitor.safetensors --port 8000
    """
    for package in _NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(package, "serve")
    from brainscan.clinic.environment import read_environment, read_token
    from brainscan.clinic.incidents import keeper
    from brainscan.clinic.library import open_library
    from brainscan.clinic.monitor import open_watch
    from brainscan.server.engine import Origin
    from brainscan.server.run import Service
    from brainscan.server.settings import ServeSettings, check_address

    settings = ServeSettings(
        host=host,
        port=port,
        token=read_token(),
        max_active=max_active,
        max_queue=max_queue,
        max_tokens=max_tokens,
        request_seconds=request_seconds,
        grace_seconds=grace_seconds,
    )
    check_address(settings)
    with progress_bar(f"serve {subject}") as progress:
        watch = open_watch(subject, monitor, progress)

    with open_library() as store:
        origin = Origin(subject, str(monitor.absolute()))
        service = Service(watch, origin, keeper(store), settings)
        names = watch.subject.card.name, watch.panel.monitor.sha256
        _say_where(service.address, *names, read_environment().store, as_json)
        service.run()


def _say_where(address: str, model: str, monitor: str, store: str, as_json: bool) -> None:
    if as_json:
        print_json({"address": address, "model": model, "monitor": monitor})
    else:
        print_line(
            Console(highlight=False),
            ("Listening ", "bold"),
            f"{address}/v1  model {model}  monitor {monitor[:12]}  incidents in {store}",
        )
    sys.stdout.flush()
