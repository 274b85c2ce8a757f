"""brainscan calibrate: scan clean controls and freeze what they measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import resumes
from brainscan.cli.live import Live
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic.calibrate import ENOUGH, calibrate_base


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("calibrate")(calibrate)


@resumes
def calibrate(
    subject: Annotated[str, typer.Argument(help="The base that the controls are fine-tunes of.")],
    controls: Annotated[
        str,
        typer.Option(
            help="Best: a folder of your own clean fine-tunes, one adapter, model or scan a sub-folder. train:N plants N "
            "controls, at most 29. random:N makes N of random directions, whose p-values do not hold: a first try alone."
        ),
    ] = f"train:{ENOUGH}",
    plan: Annotated[str, typer.Option(help="The plan that later scans will run too.")] = "audit",
    alone: Annotated[bool, typer.Option("--alone", help="Without the reference, for scans that have none.")] = False,
    out: Annotated[Path, typer.Option("--out", help="File to write.")] = Path("calibration.json"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Freeze the measurements of clean controls, so that later scans get model-level p-values.

    19 controls buy a smallest p-value of 0.05. Controls that are there already are not planted or scanned
    again, so an interrupted run goes on.

    Example: brainscan calibrate smollm2-135m-instruct --controls ./clean-finetunes --out calibration.json

    Example: brainscan calibrate ./base --controls train:19 --plan audit
    """
    with Live(Console(highlight=False, stderr=as_json)) as live:
        attendant = live.attendant()
        made = calibrate_base(subject, controls, out, plan, alone, attendant, attendant.loading)
    m = len(made.names)
    if as_json:
        digest = made.calibration.sha256()
        print_json({"file": str(out), "controls": list(made.names), "smallest_p": 1 / (m + 1), "sha256": digest})
        return
    console = Console(highlight=False)
    print_line(console, f"Wrote {out}: {m} controls, smallest p-value {1 / (m + 1):.3f}.")
    if m < ENOUGH:
        print_line(console, f"{ENOUGH - m} more controls would buy a p-value of 0.05.")
