"""``brainscan models``: which models have a short name, fetch one, say where one lies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from brainscan.cli.errors import plain_errors
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic import models
from brainscan.core.visible import visible
from brainscan.subject.progress import Progress as Callback

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

verbs = typer.Typer(name="models", help="Models with a short name: list, fetch, find.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.command("list")
@plain_errors
def list_models(as_json: AsJson = False) -> None:
    """List the models that have a short name, and which of them are on this machine.

    Example: brainscan models list
    """
    listed = models.list_models()
    if as_json:
        print_json(listed)
        return
    console = Console(highlight=False)
    width = max(len(model.name) for model in listed)
    for model in listed:
        where = model.folder if model.present else f"not fetched, {model.megabytes} MB"
        print_line(console, (f"{model.name:<{width}}", "bold"), f"  {model.title}")
        print_line(console, (f"{'':<{width}}  {where}{f'  {model.licence}' if model.licence else ''}", "dim"))


@verbs.command()
@plain_errors
def pull(
    name: Annotated[str, typer.Argument(help="A short name: see brainscan models list.")], as_json: AsJson = False
) -> None:
    """Fetch a model, check its hashes and unpack it into the cache. Fetching twice does nothing.

    Example: brainscan models pull smollm2-135m-instruct
    """
    with progress_bar(f"pull {name}") as progress:
        model = models.pull_model(name, progress)
    if as_json:
        print_json(model)
    else:
        print_line(Console(highlight=False), f"{model.name} lies in {model.folder} ({model.licence})")


@verbs.command()
@plain_errors
def path(
    subject: Annotated[str, typer.Argument(help="A short name, a folder, a .gguf file, or org/name on the hub.")],
    as_json: AsJson = False,
) -> None:
    """Print the folder that a subject is opened from, fetching, unpacking and checking it first.

    Example: ls "$(brainscan models path smollm2-135m-instruct)"
    """
    with progress_bar(f"find {subject}") as progress:
        folder = models.model_path(subject, progress)
    if as_json:
        print_json({"subject": subject, "folder": str(folder)})
    else:
        print_line(Console(highlight=False), str(folder))


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Callback]:
    """A bar with the time left on stderr; yields the callback that moves it. A pipe sees nothing of it."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(visible(title, keep=""), total=1.0)

        def move(fraction: float, words: str) -> None:
            bar.update(task, completed=fraction, description=visible(words, keep="", limit=80))

        yield move
