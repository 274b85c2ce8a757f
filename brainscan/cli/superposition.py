"""``brainscan superposition``: why dictionaries are needed, in models small enough to know and in a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.models import progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.features.score import Summary

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


@verbs.command()
@plain_errors
def compare(
    survey: Annotated[Path, typer.Argument(help="A folder that features survey has written.")],
    site: Annotated[str, typer.Option("--site", help="Whose dimensions are the neurons, as mlp_act.15.")],
    sample: Annotated[int, typer.Option(help="Units drawn at random on either side.", min=2)] = 200,
    seed: Annotated[int, typer.Option(help="Of the draw and the held-out text.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Are a dictionary's features one thing each, more than neurons are? Same texts, same labeller, same scores.

    Example: brainscan superposition compare survey --site mlp_act.15
    """
    from brainscan.clinic.superposition import compare_neurons

    with progress_bar("superposition compare") as progress:
        found = compare_neurons(survey, site, sample, seed, progress)
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    for name, summary in (("features", found.features), ("neurons", found.neurons)):
        print_line(console, (f"{name:<10}", "bold"), _told(summary))
    within = found.gain_interval
    gain = f"{found.gain:+.3f} [{within.lo:+.3f}, {within.hi:+.3f}]"
    print_line(console, (f"{'gain':<10}", "bold"), f"{gain}  mean detection of all units, those without a label at 0.5")


def _told(summary: Summary) -> str:
    score = "not scored" if summary.detection_of_all is None else f"detection {summary.detection_of_all:.3f}"
    return f"{score} (chance 0.5), {summary.labelled} of {summary.drawn} could be labelled"
