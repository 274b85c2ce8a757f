"""brainscan scan: examine a model."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.gate import print_decision
from brainscan.cli.live import Live, print_plan
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic.deliver import DeliveryRequests, deliver
from brainscan.clinic.examine import Request, examine, plan_only
from brainscan.clinic.release import decide_release
from brainscan.gate.policy import read_policy


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("scan")(scan)


@plain_errors
def scan(
    subject: Annotated[
        str, typer.Argument(help="A short name, a folder, a .gguf file, a hub id, or BASE+ADAPTER_FOLDER.")
    ],
    reference: Annotated[
        str | None, typer.Option(help="The model that it was trained from; what changed is then examined too.")
    ] = None,
    plan: Annotated[str, typer.Option(help="quick (minutes), standard (a quarter of an hour) or full.")] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="The scan's folder. Default: scans/<name>/<id> here, so that it resumes.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the public JSON to this file; - prints it.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write SARIF 2.1.0 to this file.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    summary: Annotated[Path | None, typer.Option(help="Write a Markdown job summary to this file.")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Gate with this TOML policy: exit 0 pass, 1 fail, 2 cannot tell.")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Clean controls to compare with (brainscan calibrate).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same machine: same scan.")] = 0,
    budget: Annotated[
        float | None, typer.Option(min=0.1, help="Minutes; instruments that would pass it are left out, and said.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run just this instrument; may be repeated.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps. Default: the best there is.")] = None,
    plan_only_: Annotated[bool, typer.Option("--plan-only", help="Print the plan with its cost and stop.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Scan again even if the same scan is there.")] = False,
    remote_code: Annotated[
        bool, typer.Option("--allow-remote-code", help="Let code that came with the model run. The report says so.")
    ] = False,
) -> None:
    """Scan a model: what it does, what is inside, how that differs from where it came from.

    Without --policy the exit code is 0 when the scan finished, whatever it found; 2 when the
    numerical self-check failed; 3 when the model or the command cannot be used.

    Example: brainscan scan smollm2-135m-instruct --html report.html

    Example: brainscan scan ./my-finetune --reference ./base --plan standard --policy policy.toml
    """
    if policy is not None:
        read_policy(policy)  # a broken policy is said before the work, not after it
    request = Request(
        subject=subject,
        reference=reference,
        plan=plan,
        seed=seed,
        budget_minutes=budget,
        out=out,
        calibration=calibration,
        only=tuple(only or ()),
        fresh=fresh,
        device=device,
        allow_remote_code=remote_code,
        command=shlex.join(["brainscan", *sys.argv[1:]]),
    )
    printed = json == Path("-")
    console = Console(highlight=False, stderr=printed)
    with Live(console) as live:
        if plan_only_:
            made, folder = plan_only(request, live.attendant())
        else:
            examined = examine(request, live.attendant())
            folder = examined.folder
    if plan_only_:
        print_json(made) if printed else print_plan(console, made, folder)
        return
    written = deliver(folder, DeliveryRequests(html, None if printed else json, sarif, junit, summary))
    _show(console, folder, examined.reused, written, printed)
    if policy is not None:
        decision = decide_release(str(folder), policy)
        print_decision(console, decision)
        raise typer.Exit(decision.exit_code)


def _show(console: Console, folder: Path, reused: bool, written: tuple[Path, ...], printed: bool) -> None:
    from brainscan.clinic.deliver import render
    from brainscan.clinic.library import read_folder
    from brainscan.report.terminal import print_report

    opened = read_folder(folder)
    if printed:
        print(render("json", opened), end="")
        return
    print_report(console, opened.scan, opened.diagnosis)
    if reused:
        print_line(console, "The same scan was there already; this is its record. --fresh scans again.")
    for path in written:
        print_line(console, f"Wrote {path}")
    print_line(console, ("Scan: ", "dim"), str(folder))
