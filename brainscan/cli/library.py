"""brainscan list, show, verify and forget: finished scans, with no model loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.printing import print_json, print_line, print_lines
from brainscan.clinic import library
from brainscan.clinic.deliver import DeliveryRequests, deliver_opened, render
from brainscan.clinic.library import ListedScan
from brainscan.clinic.seal import VerifyLine
from brainscan.report.words import date

Ref = Annotated[str, typer.Argument(help="A scan's folder, the beginning of its id, or latest.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

STDOUT = Path("-")


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.command("list")(list_scans)
    app.command("show")(show)
    app.command("verify")(verify)
    app.command("forget")(forget)


@plain_errors
def list_scans(
    subject: Annotated[str, typer.Option(help="Only scans whose subject's name contains this.")] = "",
    flagged: Annotated[str, typer.Option(help="Only scans that flagged this condition.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the stored scans, newest first.

    Example: brainscan list --flagged backdoor
    """
    listed = library.list_scans(limit, subject, flagged)
    if as_json:
        print_json(listed)
        return
    console = Console(highlight=False)
    for line in listed:
        _print_listed(console, line)
    if not listed and (subject or flagged):
        print_line(console, "No stored scan is like that. All of them: brainscan list")
    elif not listed:
        print_line(console, "No stored scan. Make one with: brainscan scan MODEL")


@plain_errors
def show(
    scan: Ref,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the public JSON to this file; - prints it.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write SARIF 2.1.0 to this file.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    summary: Annotated[Path | None, typer.Option(help="Write a Markdown summary to this file.")] = None,
) -> None:
    """Show a finished scan here, or write reports of it.

    Example: brainscan show latest --html report.html
    """
    opened = library.open_scan(scan)
    console = Console(highlight=False)
    printed = json == STDOUT
    requests = DeliveryRequests(html, None if printed else json, sarif, junit, summary)
    written = deliver_opened(opened, requests)
    if printed:
        print(render("json", opened), end="")
    elif written:
        print_lines(console, (f"Wrote {path}" for path in written))
    else:
        from brainscan.report.terminal import print_report

        print_report(console, opened.scan, opened.diagnosis)


@plain_errors
def verify(
    scan: Ref,
    models: Annotated[bool, typer.Option("--models", help="Also hash the models' files again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hash the files of a scan again and compare them with its seal.

    Exit code: 0 all the same, 1 something changed or is missing, 2 something could not be compared.

    Example: brainscan verify latest --models
    """
    lines = library.verify(scan, models)
    if as_json:
        print_json(lines)
    else:
        console = Console(highlight=False)
        for line in lines:
            print_line(console, f"{line.status:<10}{line.about:<10}{line.file}  ", (line.detail, "dim"))
    raise typer.Exit(_exit_code(lines))


@plain_errors
def forget(
    scan: Annotated[str, typer.Argument(help="The beginning of the scan's id, or latest.")], as_json: AsJson = False
) -> None:
    """Take a scan off the list. Its folder stays where it is.

    Example: brainscan forget 3f9c21
    """
    row = library.forget(scan)
    if as_json:
        print_json(row)
    else:
        print_line(Console(highlight=False), f"Forgot {row.id} ({row.subject_name}); its folder stays at {row.folder}.")


def _exit_code(lines: list[VerifyLine]) -> int:
    found = {line.status for line in lines}
    return 1 if found & {"changed", "missing"} else 2 if "unchecked" in found else 0


def _print_listed(console: Console, line: ListedScan) -> None:
    scan = line.scan
    against = f"  against {scan.reference_name}" if scan.reference_name else ""
    names = f" ({', '.join(line.flagged)})" if line.flagged else ""
    print_line(console, (scan.id, "bold"), f"  {date(scan.created_utc)}  {scan.plan}  {scan.subject_name}{against}")
    print_line(
        console,
        f"    {scan.flagged} flagged{names}, {scan.clear} clear, "
        f"{scan.cannot_tell} cannot tell, {scan.not_assessed} not assessed",
    )
    print_line(console, (f"    {scan.folder}{'' if line.present else '  (no longer there)'}", "dim"))
