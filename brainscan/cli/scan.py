"""brainscan scan: examine a model."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import resumes
from brainscan.cli.gate import print_decision
from brainscan.cli.library import STDOUT
from brainscan.cli.live import Live, print_plan
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic.deliver import DeliveryRequests, deliver, render
from brainscan.clinic.examine import Examined, Request, examine
from brainscan.clinic.examine import plan_only as plan_only_
from brainscan.clinic.library import read_folder
from brainscan.clinic.release import decide_release, read_release_policy

Subject = Annotated[str, typer.Argument(help="A short name, a folder, a .gguf file, a hub id, or BASE+ADAPTER_FOLDER.")]
Reference = Annotated[
    str | None, typer.Option(help="The model it was trained from; what changed is then examined too.")
]
PlanName = Annotated[
    str,
    typer.Option(
        "--plan",
        help="quick (minutes), standard (a quarter of an hour), full, or audit: beside a reference, against clean controls.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="The scan's folder. Default: scans/NAME/ID here, so that it resumes.")]
Json = Annotated[Path | None, typer.Option(help="Write the public JSON to this file; - prints it.")]
Html = Annotated[Path | None, typer.Option(help="Write the page to this file.")]
Sarif = Annotated[Path | None, typer.Option(help="Write SARIF 2.1.0 to this file.")]
Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")]
Summary = Annotated[Path | None, typer.Option(help="Write a Markdown job summary to this file.")]
Policy = Annotated[Path | None, typer.Option(help="Gate with this TOML policy: exit 0 pass, 1 fail, 2 cannot tell.")]
Controls = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        help="A file of brainscan calibrate for the same base and --plan. Default: the one that ships, if it fits.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same machine: same scan.")]
Budget = Annotated[float | None, typer.Option(min=0.1, help="Minutes; instruments that would pass it are left out.")]
Only = Annotated[list[str] | None, typer.Option(help="Run just this instrument; may be repeated.")]
Through = Annotated[
    str | None,
    typer.Option("--dictionary", help="Also compare features of this dictionary (or survey) with --reference."),
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps. Default: the best there is.")]
PlanOnly = Annotated[bool, typer.Option("--plan-only", help="Print the plan with its cost and stop.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Scan again even if the same scan is there.")]
RemoteCode = Annotated[
    bool, typer.Option("--allow-remote-code", help="Let code that came with the model run. The report says so.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("scan")(scan)


@resumes
def scan(
    subject: Subject,
    reference: Reference = None,
    plan: PlanName = "quick",
    out: Out = None,
    json: Json = None,
    html: Html = None,
    sarif: Sarif = None,
    junit: Junit = None,
    summary: Summary = None,
    policy: Policy = None,
    calibration: Controls = None,
    seed: Seed = 0,
    budget: Budget = None,
    only: Only = None,
    dictionary: Through = None,
    device: Device = None,
    plan_only: PlanOnly = False,
    fresh: Fresh = False,
    remote_code: RemoteCode = False,
) -> None:
    """Scan a model: what it does, what is inside, how that differs from where it came from.

    Without --policy the exit code is 0 when the scan finished, whatever it found; 2 when the
    numerical self-check failed; 3 when the model or the command cannot be used.

    Example: brainscan scan smollm2-135m-instruct --html report.html

    Example: brainscan scan ./my-finetune --reference ./base --plan standard --policy policy.toml
    """
    if policy is not None:
        read_release_policy(policy)  # a broken policy is said before the work, not after it
    request = Request(
        subject=subject,
        reference=reference,
        plan=plan,
        seed=seed,
        budget_minutes=budget,
        out=out,
        calibration=calibration,
        only=tuple(only or ()),
        dictionary=dictionary,
        fresh=fresh,
        device=device,
        allow_remote_code=remote_code,
        command=shlex.join(["brainscan", *sys.argv[1:]]),
    )
    printed = json == STDOUT
    console = Console(highlight=False, stderr=printed)
    if plan_only:
        _print_plan_only(console, request, printed)
        return
    with Live(console) as live:
        examined = examine(request, live.attendant())
    written = deliver(examined.folder, DeliveryRequests(html, None if printed else json, sarif, junit, summary))
    _print_examined(console, examined, written, printed)
    if policy is not None:
        decision = decide_release(examined.folder, policy)
        print_decision(console, decision)
        raise typer.Exit(decision.exit_code)


def _print_plan_only(console: Console, request: Request, as_json: bool) -> None:
    with Live(console) as live:
        plan, folder = plan_only_(request, live.attendant())
    if as_json:
        print_json(plan)
    else:
        print_plan(console, plan, folder)


def _print_examined(console: Console, examined: Examined, written: tuple[Path, ...], as_json: bool) -> None:
    from brainscan.report.terminal import print_report

    opened = read_folder(examined.folder)
    if as_json:
        print(render("json", opened), end="")
        return
    print_report(console, opened.scan, opened.diagnosis)
    if examined.reused:
        print_line(console, "The same scan was there already; this is its record. --fresh scans again.")
    for path in written:
        print_line(console, f"Wrote {path}")
    print_line(console, ("Scan: ", "dim"), str(examined.folder))
