"""brainscan calibrate: turn scans of clean controls into a calibration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic.library import open_scan
from brainscan.diagnosis.calibration import calibrate as make
from brainscan.diagnosis.calibration import write_calibration


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("calibrate")(calibrate)


@plain_errors
def calibrate(
    scans: Annotated[list[str], typer.Argument(help="Scans of clean control models: folders or beginnings of ids.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")] = Path("calibration.json"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Freeze the measurements of clean controls, so that later scans get model-level p-values.

    The scans must share reference, plan and texts. 19 controls buy a smallest p-value of 0.05.

    Example: brainscan calibrate scans/control-*/* --out calibration.json
    """
    made = make([open_scan(ref).scan for ref in scans])
    write_calibration(out, made)
    m = len(made.controls)
    if as_json:
        print_json({"file": str(out), "controls": m, "smallest_p": 1 / (m + 1), "sha256": made.sha256()})
    else:
        print_line(
            Console(highlight=False),
            f"Wrote {out}: {m} controls, smallest p-value {1 / (m + 1):.3f}, {made.sha256()[:12]}",
        )
