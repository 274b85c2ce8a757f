"""``brainscan vision``: scan an image classifier, show a channel, draw the circuit that builds it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brainscan.circuits.parts.graph import PartsCircuit
from brainscan.cli.errors import plain_errors, resumes
from brainscan.cli.models import AsJson, progress_bar
from brainscan.cli.printing import print_json, print_line
from brainscan.clinic import vision as clinic
from brainscan.core.errors import UsageError
from brainscan.core.files import write_atomic
from brainscan.report.vision import circuit_html, printed_finding, printed_selectivity

verbs = typer.Typer(
    name="vision", help="Vision models: what each channel looks for, and the wires that build it.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Option("--scan", help="Folder of a finished vision scan.")]
Address = Annotated[str, typer.Argument(help="channel.45/320, or a module path with a number: blocks.15.expand/320.")]
Html = Annotated[Path | None, typer.Option(help="Write the page to this file.")]
_SHOWN_SKIPS = 10


def register(app: typer.Typer) -> None:
    """Add the verbs to the application."""
    app.add_typer(verbs)


@verbs.command()
@resumes
def scan(
    subject: Annotated[str, typer.Argument(help="efficientnet-lite0, or a folder of an image classifier.")],
    images: Annotated[Path, typer.Option(help="Folder of pictures; sub-folders are labels.")],
    labels: Annotated[Path | None, typer.Option(help="CSV with columns file, label and perhaps caption.")] = None,
    controls: Annotated[Path | None, typer.Option(help="Folder of clean twins, one a sub-folder.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the scan. Default: scans/NAME.")] = None,
    html: Html = None,
    paint: Annotated[int, typer.Option(help="Cards with pictures made by optimisation.", min=0, max=6)] = 1,
    circuit: Annotated[bool, typer.Option(help="Draw the circuit of the best channel.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same machine: same scan.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Scan an image classifier over a folder of pictures: channels that answer to labels, spurious cues, trigger patches.

    Example: brainscan vision scan efficientnet-lite0 --images ./photos --labels labels.csv --html vision.html

    Example: brainscan vision scan ./my-net --images ./photos --controls ./clean-twins
    """
    request = clinic.VisionRequest(
        subject=subject,
        images=images,
        labels=labels,
        controls=_twins(controls),
        out=out,
        seed=seed,
        paint=paint,
        circuit=circuit,
        command=shlex.join(["brainscan", *sys.argv[1:]]),
    )
    with progress_bar(f"scan {subject}") as progress:
        found = clinic.examine_vision(request, progress)
    if html:
        write_atomic(html, clinic.vision_page(found.folder, found.diagnosis))
    if as_json:
        print_json(
            {
                "folder": str(found.folder),
                "scan": found.scan,
                "diagnosis": found.diagnosis,
                "skipped": list(found.skipped),
            }
        )
        return
    console = Console(highlight=False)
    for line in found.skipped[:_SHOWN_SKIPS]:
        print_line(console, ("skipped ", "dim"), line)
    if len(found.skipped) > _SHOWN_SKIPS:
        print_line(
            console, (f"and {len(found.skipped) - _SHOWN_SKIPS} more skipped, {len(found.skipped)} in all", "dim")
        )
    for finding in found.diagnosis.findings:
        print_line(console, *printed_finding(finding))
    for card in found.cards.cards:
        if card.selectivity:
            print_line(console, printed_selectivity(card.selectivity))
    print_line(console, ("Record: ", "dim"), str(found.folder), f"  Page: {html}" if html else "")


@verbs.command()
@plain_errors
def show(
    channel: Address,
    scan: Folder,
    paint: Annotated[bool, typer.Option(help="Make pictures by optimisation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one channel: what it answers to, how strongly, how sure, and the images that drive it.

    Example: brainscan vision show channel.45/320 --scan scans/efficientnet-lite0
    """
    with progress_bar(f"show {channel}") as progress:
        card = clinic.show_channel(scan, channel, paint=paint, progress=progress)
    if as_json:
        print_json(card)
        return
    console = Console(highlight=False)
    print_line(console, (card.channel, "bold"), f"  {card.path}, sees {card.sees}")
    name = card.name
    if name.name:
        lo, hi = name.interval.lo, name.interval.hi
        print_line(
            console,
            f'name "{name.name}": AUROC {name.held_out:.3f} [{lo:.2f}, {hi:.2f}] on held-out images, {name.positives} with it',
        )
    else:
        print_line(console, "no name: no word tells its images apart")
    for number, group in enumerate(name.groups):
        kind = f"meaning {number + 1} of {len(name.groups)}" if name.polysemantic else "strongest"
        print_line(console, f"{kind}: {', '.join(group[:8])}")
    if card.selectivity:
        print_line(console, printed_selectivity(card.selectivity))


@verbs.command()
@plain_errors
def circuit(
    channel: Address,
    scan: Folder,
    label: Annotated[str, typer.Option(help="The label whose images the channel is explained on.")],
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Show the units that build a channel, with exact weights where the path is linear, and test them by removal.

    Example: brainscan vision circuit channel.45/320 --scan scans/efficientnet-lite0 --label car --html circuit.html
    """
    with progress_bar(f"circuit of {channel}") as progress:
        made, thumbnails = clinic.channel_circuit(scan, channel, label, progress)
    if html:
        write_atomic(html, circuit_html(made, thumbnails))
    if as_json:
        print_json(made)
    else:
        _print_circuit(Console(highlight=False), made)


def _print_circuit(console: Console, made: PartsCircuit) -> None:
    print_line(
        console,
        (made.target, "bold"),
        f"  {made.path}, for {made.label}: {len(made.parts)} parts carry {made.covered:.0%} of what lifts it",
    )
    for part in sorted(made.parts, key=lambda part: part.row):
        print_line(
            console,
            f"  {part.channel:<18} {part.kind:<8} weight {part.weight:+.3f}  {part.share:.1%}  at {part.row:.0%} from the top",
        )
    if made.removal:
        r = made.removal
        print_line(
            console,
            f"without them it falls by {r.lowered:.0%} [{r.interval.lo:.0%}, {r.interval.hi:.0%}] on {r.n} held-out images; "
            f"random units of the same layers at most {max(r.control):.0%}; class probability {r.class_before:.2f} to {r.class_after:.2f}",
        )


def _twins(folder: Path | None) -> tuple[str, ...]:
    if folder is None:
        return ()
    found = (
        tuple(str(path) for path in sorted(folder.iterdir()) if (path / "config.json").is_file())
        if folder.is_dir()
        else ()
    )
    if not found:
        raise UsageError(f"{folder} holds no clean twin.", "Name a folder of model folders with config.json.")
    return found
