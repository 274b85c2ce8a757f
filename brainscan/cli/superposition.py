"""``brainscan superposition``: why dictionaries are needed, drawn from models small enough to know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.models import progress_bar
from brainscan.cli.printing import print_json, print_line

verbs = typer.Typer(
    name="superposition", help="Toy models that store more features than dimensions.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.callback()
def superposition() -> None:
    """Toy models that store more features than dimensions."""


@verbs.command()
@plain_errors
def demo(
    html: Annotated[Path, typer.Option(help="Write the page to this file.")] = Path("superposition.html"),
    seed: Annotated[int, typer.Option(help="Equal seeds give equal pages.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the steps: a look, not numbers to quote.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train toy models of superposition and dictionaries on known features, and draw them on one page.

    Example: brainscan superposition demo --html superposition.html
    """
    from brainscan.clinic.superposition import show_superposition

    with progress_bar("superposition demo") as progress:
        shown = show_superposition(html, seed=seed, quick=quick, progress=progress)
    if as_json:
        print_json(shown)
        return
    console = Console(highlight=False)
    for row in shown.found:
        f1 = "" if row.f1 is None else f", F1 {row.f1:.2f}"
        print_line(console, f"{row.world}  ", (row.reader, "bold"), f"  cosine {row.max_cosine:.2f}{f1}")
    print_line(console, f"Wrote {html}")
