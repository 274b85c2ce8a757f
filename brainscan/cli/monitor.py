"""``brainscan monitor``: fit calibrated alarms on clean traffic, look at them, list incidents and replay them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.models import AsJson, progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.core.errors import UsageError
from brainscan.core.visible import visible
from brainscan.monitor.record import POLICIES, Monitor, Policy, read_monitor

verbs = typer.Typer(name="monitor", help="Calibrated alarms inside live generation.", no_args_is_help=True)

MonitorFile = Annotated[Path, typer.Argument(help="A file that monitor fit has written.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.command()
@plain_errors
def fit(
    subject: Annotated[str, typer.Argument(help="Short name, folder, .gguf file, hub id, or BASE+ADAPTER.")],
    clean: Annotated[Path, typer.Option(help="Clean prompts: one a line, or .jsonl with a field prompt.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")] = Path("monitor.safetensors"),
    rules: Annotated[Path | None, typer.Option(help="JSON list of rules; distance and certainty if left out.")] = None,
    policy: Annotated[str, typer.Option(help="Of the default rules: log, warn, stop or hand_over.")] = "warn",
    promise: Annotated[float, typer.Option(help="False alarms on clean answers: at most this share.")] = 0.01,
    confidence: Annotated[float, typer.Option(help="That the promise holds; 0: on average only.")] = 0.95,
    max_new: Annotated[int, typer.Option(help="Tokens of an answer that the promise covers.", min=1)] = 32,
    guarantee: Annotated[str | None, typer.Option(help="Bound on errors, for example error<=0.05.")] = None,
    questions: Annotated[Path | None, typer.Option(help=".jsonl of question and answers, for the guarantee.")] = None,
    seed: Annotated[int, typer.Option(help="Draws the split.", min=0)] = 0,
    text: Annotated[bool, typer.Option("--text", help="Prompts are plain text, not users' turns.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn rules, and freeze thresholds that promise a rate of false alarms.

    Example: brainscan monitor fit smollm2-135m-instruct --clean clean.txt --promise 0.01 --out monitor.safetensors
    """
    from brainscan.clinic.monitor import FitRequest, fit_monitor

    if not (0 < promise < 1 and 0 <= confidence < 1):
        raise UsageError("Promise and confidence are shares between 0 and 1.", "Write --promise 0.01.")
    request = FitRequest(
        subject=subject,
        clean=clean,
        out=out,
        rules=rules,
        policy=_policy(policy),
        rate=promise,
        confidence=confidence or None,
        max_new=max_new,
        seed=seed,
        chat=not text,
        guarantee=guarantee,
        questions=questions,
    )
    with progress_bar(f"monitor fit {subject}") as progress:
        monitor = fit_monitor(request, progress)
    if as_json:
        print_json(monitor)
        return
    _print_monitor(Console(highlight=False), monitor)
    print_line(Console(highlight=False), f"Wrote {out}")


@verbs.command()
@plain_errors
def show(monitor: MonitorFile, as_json: AsJson = False) -> None:
    """Check a monitor's hash and say what it watches for and what it promises.

    Example: brainscan monitor show monitor.safetensors
    """
    found, _ = read_monitor(monitor)
    if as_json:
        print_json(found)
    else:
        _print_monitor(Console(highlight=False), found)


@verbs.command()
@plain_errors
def incidents(
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=10_000)] = 20,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that wait for a person.")] = False,
    as_json: AsJson = False,
) -> None:
    """List answers that raised an alarm.

    Example: brainscan monitor incidents --open
    """
    from brainscan.clinic.incidents import list_incidents

    rows = list_incidents(limit, only_open=only_open)
    if as_json:
        print_json(rows)
        return
    console = Console(highlight=False)
    if not rows:
        print_line(console, "No incident has been kept.")
    for row in rows:
        mark = "waits for a person" if row.open else ""
        print_line(
            console,
            f"{row.id[:12]}  {row.created_utc[:19]}  ",
            (f"{row.outcome:<12}", "bold"),
            f"{row.rules or 'monitor failed':<24}  {row.subject_name}  ",
            (mark, "dim"),
        )


@verbs.command()
@plain_errors
def replay(
    incident: Annotated[str, typer.Argument(help="Id of an incident, its beginning, or latest.")],
    subject: Annotated[str | None, typer.Option(help="Where the subject is now, if it was moved.")] = None,
    monitor: Annotated[Path | None, typer.Option(help="Where the monitor is now, if it was moved.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring an incident about again: same prompt, same draws, same monitor. Exit code 1 when it comes out otherwise.

    Example: brainscan monitor replay latest
    """
    from brainscan.clinic.monitor import replay_incident

    with progress_bar(f"replay {incident}") as progress:
        found = replay_incident(incident, subject, monitor, progress)
    if as_json:
        print_json(found)
    else:
        console = Console(highlight=False)
        word = "happened again" if found.same else "came out otherwise"
        print_line(console, f"Incident {found.incident[:12]} ", (word, "bold"))
        print_line(
            console,
            f"  answer {'same' if found.same_answer else 'other'}, alarms {'same' if found.same_alarms else 'other'}, "
            f"scores differ by at most {found.largest_difference:.2g}",
        )
        for alarm in found.verdict.alarms:
            print_line(console, f"  {alarm.rule}: {alarm.score:.1f} above {alarm.threshold:.1f} at token {alarm.token}")
        print_line(console, ("  " + visible(found.answer, keep="", limit=300), "dim"))
    if not found.same:
        raise typer.Exit(1)


def _policy(text: str) -> Policy:
    known: dict[str, Policy] = {policy: policy for policy in POLICIES}
    if text.replace("-", "_") not in known:
        raise UsageError(f"There is no policy {visible(text, keep='')!r}.", f"Choose one of: {', '.join(POLICIES)}.")
    return known[text.replace("-", "_")]


def _print_monitor(console: Console, monitor: Monitor) -> None:
    promise = monitor.promise
    sure = "on average" if promise.confidence is None else f"with confidence {promise.confidence:g}"
    print_line(console, ("Monitor ", "bold"), f"{monitor.sha256[:12]} of {monitor.subject_name}")
    print_line(
        console,
        f"  promises at most {promise.rate:.2%} false alarms {sure}, for {promise.drawn.words()} up to "
        f"{promise.answer_tokens} tokens "
        f"({promise.calibration_n} clean answers, {promise.above} above the threshold)",
    )
    for rule in monitor.rules:
        after = f", after {rule.after}" if rule.after else ""
        print_line(console, f"  {rule.name:<16} {rule.kind:<10} {rule.policy:<10}", (f" {rule.title}{after}", "dim"))
    if bound := monitor.guarantee:
        given = "no threshold earned it: every answer abstains" if bound.threshold is None else "answers"
        print_line(
            console,
            f"  guarantees at most {bound.error:.1%} errors among the answers given with confidence "
            f"{bound.confidence:g}, for {bound.drawn.words()}: {given} {bound.answered} of {bound.calibration_n} "
            f"({bound.wrong} wrong)",
        )
