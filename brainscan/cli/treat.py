"""brainscan treat: change what was found, and measure what it did."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.cli.errors import plain_errors
from brainscan.cli.library import STDOUT
from brainscan.cli.models import progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic.treat import Done, Exports, Target, TreatRequest, write_page
from brainscan.clinic.treat import treat as treat_
from brainscan.clinic.turn_up import TurnedUp
from brainscan.core.errors import UsageError
from brainscan.core.files import write_atomic
from brainscan.core.visible import visible

Subject = Annotated[str, typer.Argument(help="A short name, a folder, a .gguf file, a hub id, or BASE+ADAPTER_FOLDER.")]
Reference = Annotated[
    str | None,
    typer.Option(help="The model it was trained from; treatments learn from it and relapse is judged by it."),
]
FindingName = Annotated[str | None, typer.Option("--finding", help="Treat this condition of --scan.")]
ScanRef = Annotated[str, typer.Option("--scan", help="The scan of --finding: a folder, an id, or latest.")]
BehaviourFile = Annotated[Path | None, typer.Option("--behaviour", help="Treat what this JSON file describes.")]
Organism = Annotated[str | None, typer.Option(help="Treat what this model of the zoo was planted with.")]
KindName = Annotated[
    str | None,
    typer.Option(
        help="revert, unlearn, low-rank, project-out, orthogonalise, conditional, steer, patch, system-prompt or benign. "
        "Default: revert with a reference, unlearn with answers to teach, else project-out."
    ),
]
Steps = Annotated[
    int | None, typer.Option(min=1, help="Training steps. Default: 48 for revert, 30 for unlearn and benign.")
]
Guard = Annotated[float, typer.Option(min=1.0, help="Largest perplexity of neutral text, relative to untreated.")]
Plain = Annotated[bool, typer.Option("--no-baselines", help="Leave the baselines out.")]
NoRelapse = Annotated[bool, typer.Option("--no-relapse", help="Leave the relapse tests out.")]
Rescan = Annotated[
    str | None,
    typer.Option(
        help="Scan under treatment with this plan and compare with the scan of --finding (give its plan), "
        "or else with one made before."
    ),
]
TurnUp = Annotated[str | None, typer.Option("--turn-up", help="Instead: steer towards this concept and show answers.")]
Ask = Annotated[list[str] | None, typer.Option(help="With --turn-up: a request to answer; may be repeated.")]
Out = Annotated[Path | None, typer.Option(help="The treatment's folder. Default: treatments/NAME/KIND-HASH here.")]
Html = Annotated[Path | None, typer.Option(help="Write the page to this file.")]
Json = Annotated[Path | None, typer.Option(help="Write the record as JSON to this file; - prints it.")]
Lora = Annotated[Path | None, typer.Option(help="Export a LoRA folder (revert, unlearn, low-rank, benign).")]
Weights = Annotated[Path | None, typer.Option(help="Export the model with the treatment in its weights.")]
Gguf = Annotated[Path | None, typer.Option(help="Export a control vector that llama.cpp loads (steer, --turn-up).")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same machine: same treatment.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps. Default: the best there is.")]


_TURNING = ("subject", "turn_up", "ask", "gguf", "json", "device")
"""What --turn-up looks at."""


def register(app: typer.Typer) -> None:
    """Add the verb to the application."""
    app.command("treat")(treat)


@plain_errors
def treat(
    context: typer.Context,
    subject: Subject,
    reference: Reference = None,
    finding: FindingName = None,
    scan: ScanRef = "latest",
    behaviour: BehaviourFile = None,
    organism: Organism = None,
    kind: KindName = None,
    steps: Steps = None,
    guard: Guard = 1.02,
    no_baselines: Plain = False,
    no_relapse: NoRelapse = False,
    rescan: Rescan = None,
    turn_up: TurnUp = None,
    ask: Ask = None,
    out: Out = None,
    html: Html = None,
    json: Json = None,
    lora: Lora = None,
    weights: Weights = None,
    gguf: Gguf = None,
    seed: Seed = 0,
    device: Device = None,
) -> None:
    """Treat a model: find the dose, measure effect and side effects beside plain baselines, and try to bring it back.

    The model on disk stays as it is; the treatment is saved in a folder of its own and can be exported.

    Example: brainscan treat ./base+./my-lora --reference ./base --finding backdoor --rescan quick --html treatment.html

    Example: brainscan treat ./my-model --behaviour habit.json --kind project-out --no-relapse

    Example: brainscan treat smollm2-135m-instruct --turn-up "the sea" --gguf sea.gguf
    """
    _no_foreign_options(context)
    if turn_up is not None:
        _turn_up(subject, turn_up, tuple(ask or ()), gguf, json, device)
        return
    request = TreatRequest(
        subject=subject,
        target=Target(finding, scan, behaviour, organism),
        reference=reference,
        kind=kind,
        steps=steps,
        largest_perplexity=guard,
        baselines=not no_baselines,
        relapse=not no_relapse,
        rescan=rescan,
        seed=seed,
        out=out,
        exports=Exports(lora, weights, gguf),
        device=device,
        command=shlex.join(["brainscan", *sys.argv[1:]]),
    )
    with progress_bar(f"treat {subject}") as progress:
        done = treat_(request, progress)
    _told(done, html, json)


def _no_foreign_options(context: typer.Context) -> None:
    """An option that this way of treating does not look at is refused: ignored, it would seem to be obeyed."""
    sources = {option: context.get_parameter_source(option.name or "") for option in context.command.params}
    # Compared by name: typer has a copy of click inside, and which of the two this is depends on its version.
    given = [option for option, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    turning = "turn_up" in {option.name for option in given}
    for option in given:
        if turning and option.name not in _TURNING:
            raise UsageError(f"--turn-up has no use for {option.opts[0]}.", "Leave it out, or treat without --turn-up.")
        if not turning and option.name == "ask":
            raise UsageError(
                "--ask says what to ask under --turn-up, which is not there.", "Add --turn-up, or leave it out."
            )


def _told(done: Done, html: Path | None, json: Path | None) -> None:
    from brainscan.report.treatment import print_treatment

    record, written = done.record, list(done.written)
    if html is not None:
        write_page(html, record)
        written.append(html)
    if json == STDOUT:
        print_json(record)
        return
    console = Console(highlight=False)
    print_treatment(console, record)
    if json is not None:
        write_atomic(json, record.model_dump_json(indent=1))
        written.append(json)
    for path in written:
        print_line(console, f"Wrote {path}")
    print_line(console, ("Treatment: ", "dim"), str(done.folder))


def _turn_up(
    subject: str, concept: str, ask: tuple[str, ...], gguf: Path | None, json: Path | None, device: str | None
) -> None:
    from brainscan.clinic.turn_up import TurnUpRequest, turn_up

    if json is not None and json != STDOUT:
        raise UsageError("--turn-up prints its JSON and writes none.", "Give --json -, or leave it out.")
    with progress_bar(f"turn up {concept}") as progress:
        turned = turn_up(TurnUpRequest(subject, concept, ask, gguf=gguf, device=device), progress)
    _print_turned(turned, gguf, json)
    if gguf is not None and not turned.best:
        raise UsageError(
            f"No dose made the model speak of {visible(concept, keep='')} more than it does untreated, so there is no control "
            f"vector to write: {gguf} was not written.",
            "Try another word for it, or other requests with --ask.",
        )


def _print_turned(turned: TurnedUp, gguf: Path | None, json: Path | None) -> None:
    if json == STDOUT:
        print_json(turned)
        return
    console = Console(highlight=False)
    for one in turned.doses:
        mark = "  <- most, still speaking" if one.dose == turned.best else ""
        print_line(
            console,
            (f"dose {one.dose:g}", "bold"),
            f"  speaks of it in {one.mentions.hits} of {one.mentions.n}, in circles in {one.loops.hits}{mark}",
        )
        for exchange in one.shown[:2]:
            print_line(console, ("  > ", "dim"), exchange.prompt)
            print_line(console, "    ", exchange.answer)
    if gguf is not None and turned.best:
        print_line(console, f"Wrote {gguf}")
