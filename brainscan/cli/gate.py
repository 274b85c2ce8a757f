"""brainscan gate: decide on a finished scan with a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic.release import decide_release
from brainscan.gate.decide import GateDecision

_STYLES = {"fail": "bold", "cannot-tell": "bold", "warn": "", "pass": "dim"}
_WORDS = {"fail": "FAIL", "cannot-tell": "CANNOT TELL", "warn": "warning", "pass": "pass"}


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("gate")(gate)


@plain_errors
def gate(
    scan: Annotated[str, typer.Argument(help="A scan's folder, the beginning of its id, or latest.")],
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            help="TOML policy; start from examples/policy.toml. The built-in one passes nothing that cannot be told.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the decision as JSON.")] = False,
) -> None:
    """Decide whether a scanned model may be released.

    Exit code: 0 pass, 1 fail, 2 cannot tell, 3 the command or a file is broken.

    Example: brainscan gate latest --policy examples/policy.toml
    """
    decision = decide_release(scan, policy)
    if as_json:
        print_json(decision)
    else:
        print_decision(Console(highlight=False), decision)
    raise typer.Exit(decision.exit_code)


def print_decision(console: Console, decision: GateDecision) -> None:
    """Print the answer and every reason for it, strongest first."""
    print_line(console, "Gate: ", (_WORDS[decision.outcome], _STYLES[decision.outcome]))
    for reason in decision.reasons:
        word = f"{_WORDS[reason.outcome]:<12}"
        print_line(console, "  ", (word, _STYLES[reason.outcome]), f"{reason.about}: {reason.text}")
