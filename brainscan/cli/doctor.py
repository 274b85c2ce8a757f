"""brainscan doctor: will it work here, and what to install if not."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic.doctor import DoctorLine, FamilyLine, examine_machine, judge_families

_TAGS = {"ok": "[ok]", "missing": "[!]", "warning": "[?]"}


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("doctor")(doctor)


@plain_errors
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what this machine has, whether each family of features will work, and what to install if not.

    Exit code: 0 when a model can be scanned here, 1 when not.

    Example: brainscan doctor
    """
    lines = examine_machine()
    families = judge_families(lines)
    works = next(family.works for family in families if family.family == "scan")
    if as_json:
        print_json({"works": works, "families": families, "lines": lines})
    else:
        _print(Console(highlight=False), lines, families)
    raise typer.Exit(0 if works else 1)


def _print(console: Console, lines: list[DoctorLine], families: list[FamilyLine]) -> None:
    for family in families:
        print_line(console, (f"{family.title}: {'works' if family.works else 'will not work'}", "bold"))
        for line in lines:
            if line.family == family.family:
                print_line(console, f"  {_TAGS[line.status]:<5}{line.item:<20}{line.found}")
                if line.advice:
                    print_line(console, (f"       -> {line.advice}", "dim"))
        broken = [line for line in lines if line.family == family.family and line.status == "missing"]
        if not family.works and not broken:
            print_line(console, (f"       -> first: {family.advice}", "dim"))
