"""brainscan compare: two finished scans side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic.compare import comparison_as_json, open_pair, write_comparison
from brainscan.report.compare import print_comparison


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("compare")(compare)


@plain_errors
def compare(
    before: Annotated[str, typer.Argument(help="The earlier scan: a folder, the beginning of an id, or latest.")],
    after: Annotated[str, typer.Argument(help="The later scan.")],
    html: Annotated[Path | None, typer.Option(help="Write the comparison as a page to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what changed between two scans: verdicts first, then measurements; the rest is within noise.

    Example: brainscan compare 3f9c21 latest --html change.html
    """
    pair = open_pair(before, after)
    if html is not None:
        write_comparison(html, pair)
    console = Console(highlight=False)
    if as_json:
        print_json(comparison_as_json(pair))
    elif html is not None:
        print_line(console, f"Wrote {html}")
    else:
        print_comparison(console, pair.before.scan, pair.after.scan, pair.before.diagnosis, pair.after.diagnosis)
