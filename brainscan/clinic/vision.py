"""The verbs of vision: scan a classifier over a folder of images, show a channel, draw its circuit."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from brainscan.circuits.parts.graph import PartsCircuit
from brainscan.clinic.environment import read_environment
from brainscan.core.errors import RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.files import write_atomic
from brainscan.diagnosis.calibration import Calibration, calibrate
from brainscan.diagnosis.finding import Diagnosis
from brainscan.diagnosis.judge import judge
from brainscan.diagnosis.record import write_diagnosis
from brainscan.features.channels.card import ChannelCard, Picture, histogram_of, lifts_of
from brainscan.features.channels.names import name_channel, words_of
from brainscan.features.channels.selectivity import Selectivity, find_selective
from brainscan.features.channels.table import ChannelTable, read_table
from brainscan.report.vision import VisionPage, vision_html
from brainscan.scan.record import Scan, read_arrays, read_scan

if TYPE_CHECKING:
    from brainscan.features.channels.visualise import Painted
    from brainscan.subject.progress import Progress
    from brainscan.subject.vision.subject import Channel, VisionSubject

SCANS = Path("scans")
CARDS, SURVEY = "cards.json", "channels"
MOST_CARDS, STRONGEST = 6, 8


class Cards(Record):
    """The cards and the circuit of a scan, beside its record."""

    cards: tuple[ChannelCard, ...] = ()
    circuit: PartsCircuit | None = None
    thumbnails: dict[str, Picture] = {}
    """Channel -> its strongest example, for the circuit's picture."""


@dataclass(frozen=True)
class VisionRequest:
    """What is to be examined, and over which images."""

    subject: str
    images: Path
    labels: Path | None = None
    controls: tuple[str, ...] = ()
    """Clean twins: short names or folders. 19 buy a p-value of 0.05."""
    out: Path | None = None
    seed: int = 0
    paint: int = 1
    """Cards that get pictures made by optimisation; each takes about half a minute."""
    circuit: bool = True
    command: str = ""


@dataclass(frozen=True)
class VisionExamined:
    """A finished examination."""

    folder: Path
    scan: Scan
    diagnosis: Diagnosis
    cards: Cards
    skipped: tuple[str, ...]


def examine_vision(request: VisionRequest, progress: Progress) -> VisionExamined:
    """Scan a classifier over images, judge it against its clean twins, make the cards.

    Raises:
        SubjectError: the model cannot be used. InputError: the images cannot.
        SelfCheckFailed: it does not compute the same thing twice. StorageError: the disk refused.
    """
    from brainscan.activations.images import find_images
    from brainscan.scan.vision.run import run_vision
    from brainscan.subject.progress import stage

    files = find_images(request.images, request.labels)
    subject = _load(request.subject, stage(progress, 0.0, 0.05))
    folder = request.out or SCANS / (re.sub(r"[^A-Za-z0-9._-]+", "-", subject.card.name).strip("-.") or "vision")
    shares = (0.45, 0.8) if request.controls else (0.7, 0.7)
    run = run_vision(
        subject,
        files,
        folder,
        images=request.images,
        seed=request.seed,
        command=request.command,
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        progress=stage(progress, 0.05, shares[0]),
    )
    calibration = _twins(request, folder, stage(progress, *shares)) if request.controls else None
    diagnosis = judge(run.scan, calibration)
    write_diagnosis(folder, diagnosis)
    cards = _cards(subject, run.table, request, stage(progress, shares[1], 1.0))
    write_atomic(folder / CARDS, cards.model_dump_json())
    progress(1.0, "done")
    return VisionExamined(folder, run.scan, diagnosis, cards, run.table.about.skipped)


def open_cards(folder: Path) -> Cards:
    """The cards of a finished vision scan.

    Raises:
        RecordError: there are none, or they are broken.
    """
    try:
        return Cards.model_validate_json((Path(folder) / CARDS).read_bytes())
    except (OSError, ValidationError) as error:
        raise RecordError(f"{folder} holds no finished vision scan.", "Run: brainscan vision scan") from error


def vision_page(folder: Path, diagnosis: Diagnosis | None = None) -> str:
    """The page of a finished vision scan. No torch."""
    from brainscan.diagnosis.record import read_diagnosis

    cards, table = open_cards(folder), read_table(Path(folder) / SURVEY)
    shown = VisionPage(
        scan=read_scan(folder),
        diagnosis=diagnosis or read_diagnosis(folder),
        arrays=read_arrays(folder),
        cards=cards.cards,
        circuit=cards.circuit,
        thumbnails=cards.thumbnails,
        images=len(table.about.images),
        labels=len({image.label for image in table.about.images} - {""}),
        folder=table.about.folder,
        skipped=table.about.skipped,
        converted=table.about.converted,
    )
    return vision_html(shown)


def show_channel(folder: Path, channel: str, *, paint: bool, progress: Progress) -> ChannelCard:
    """The card of one channel of a finished scan, made now unless the scan has it.

    Raises:
        UsageError: it names no channel. RecordError: there is no such scan.
    """
    held = {card.channel: card for card in open_cards(folder).cards}
    if channel in held and (held[channel].towards or not paint):
        return held[channel]
    subject, table = _reopen(folder, progress)
    return _card(subject, table, subject.channel(channel), None, paint=paint, progress=progress)


def channel_circuit(
    folder: Path, channel: str, label: str, progress: Progress
) -> tuple[PartsCircuit, dict[str, Picture]]:
    """The circuit of one channel for one label, with a thumbnail for every part; kept beside the scan.

    Raises:
        UsageError: it names no channel, or the scan has no such label. RecordError: there is no such scan.
    """
    subject, table = _reopen(folder, progress)
    if label not in set(table.labels.tolist()) - {""}:
        raise UsageError(
            f"The images of this scan have no label {label!r}.",
            f"Choose one of: {', '.join(sorted(set(table.labels.tolist()) - {''})[:20])}.",
        )
    made, thumbnails = _circuit(subject, table, subject.channel(channel), label, progress)
    name = re.sub(r"[^a-z0-9]+", "-", f"{channel}-{label}".lower())
    write_atomic(Path(folder) / f"circuit-{name}.json", json.dumps(made.model_dump(mode="json"), indent=1))
    return made, thumbnails


def _load(spec: str, progress: Progress) -> VisionSubject:
    import torch

    from brainscan.subject.vision.load import load_vision

    environment = read_environment()
    if environment.threads:
        torch.set_num_threads(environment.threads)
    return load_vision(spec, cache=environment.cache, offline=environment.offline, progress=progress)


def _reopen(folder: Path, progress: Progress) -> tuple[VisionSubject, ChannelTable]:
    scan = read_scan(folder)
    subject = _load(scan.subject.id, progress)
    if subject.card.weights_sha256 != scan.subject.weights_sha256:
        raise RecordError(f"The weights of {scan.subject.id} are not those that were scanned.", "Scan the model again.")
    return subject, read_table(Path(folder) / SURVEY)


def _twins(request: VisionRequest, folder: Path, progress: Progress) -> Calibration:
    """Scan every clean twin over the same images and freeze what was measured."""
    from brainscan.activations.images import find_images
    from brainscan.scan.vision.run import run_vision
    from brainscan.subject.progress import silent

    files = find_images(request.images, request.labels)
    scans = []
    for number, spec in enumerate(request.controls):
        progress(number / len(request.controls), f"clean twin {number + 1} of {len(request.controls)}")
        home = folder / "twins" / f"{number:03d}"
        scans.append(run_vision(_load(spec, silent), files, home, images=request.images, seed=request.seed).scan)
    return calibrate(scans)


def _cards(subject: VisionSubject, table: ChannelTable, request: VisionRequest, progress: Progress) -> Cards:
    found = sorted(find_selective(table, seed=request.seed), key=lambda each: -each.candidates[0].held_out)
    chosen = found[:MOST_CARDS]
    made: list[ChannelCard] = []
    for number, each in enumerate(chosen):
        progress(number / (len(chosen) + 1), f"card of {each.candidates[0].channel}")
        channel = subject.channel(each.candidates[0].channel)
        made.append(_card(subject, table, channel, each, paint=number < request.paint, progress=progress))
    if not chosen or not request.circuit:
        return Cards(cards=tuple(made))
    progress(len(chosen) / (len(chosen) + 1), "circuit")
    circuit, thumbnails = _circuit(
        subject, table, subject.channel(chosen[0].candidates[0].channel), chosen[0].label, progress, request.seed
    )
    return Cards(cards=tuple(made), circuit=circuit, thumbnails=thumbnails)


def _circuit(
    subject: VisionSubject, table: ChannelTable, target: Channel, label: str, progress: Progress, seed: int = 0
) -> tuple[PartsCircuit, dict[str, Picture]]:
    from brainscan.circuits.parts.build import build_circuit

    made = build_circuit(subject, table, target, label, seed=seed, progress=progress)
    wanted = [made.target, *(part.channel for part in (*made.parts, *made.below))]
    return made, {name: _examples(subject, table, subject.channel(name), 1)[0] for name in dict.fromkeys(wanted)}


def _card(
    subject: VisionSubject,
    table: ChannelTable,
    channel: Channel,
    found: Selectivity | None,
    *,
    paint: bool,
    progress: Progress,
) -> ChannelCard:
    from brainscan.features.channels.pictures import stratified_rows
    from brainscan.subject.vision.field import receptive_field

    column = table.column(str(channel.site), channel.index)
    towards, away, words = _painted(subject, channel, progress) if paint else ((), (), "")
    field = receptive_field(subject, channel.site)
    left, top, right, bottom = field.box((field.rows // 2) * field.columns + field.columns // 2)
    sees = (
        "the whole picture" if field.whole else f"{right - left} x {bottom - top} of {field.size} x {field.size} pixels"
    )
    return ChannelCard(
        channel=str(channel),
        path=subject.describe(channel.site),
        label=found.label if found else "",
        selectivity=found,
        name=name_channel(table, str(channel.site), channel.index, words_of(table)),
        histogram=histogram_of(table, column),
        lifts=lifts_of(table, column),
        sees=sees,
        strongest=_examples(subject, table, channel, STRONGEST),
        slices=_examples(subject, table, channel, STRONGEST, stratified_rows(table, column)),
        towards=towards,
        away=away,
        painted=words,
    )


def _examples(
    subject: VisionSubject, table: ChannelTable, channel: Channel, count: int, rows: list[int] | None = None
) -> tuple[Picture, ...]:
    from brainscan.features.channels.pictures import examples, strongest_rows

    column = table.column(str(channel.site), channel.index)
    chosen = strongest_rows(table, column, count) if rows is None else rows
    return tuple(
        Picture(
            webp=_text(each.picture),
            alt=f"{each.label or each.name}, value {each.value:.2f}, number {i + 1} of {len(chosen)}",
        )
        for i, each in enumerate(examples(subject, table, channel, chosen))
    )


def _painted(
    subject: VisionSubject, channel: Channel, progress: Progress
) -> tuple[tuple[Picture, ...], tuple[Picture, ...], str]:
    from brainscan.features.channels.visualise import PaintSettings, channel_objective, paint

    settings = PaintSettings(diversity=1.0)
    objectives = [channel_objective(subject, channel, sign) for sign in (1.0, -1.0)]
    to, off = paint(subject, objectives, settings, each=2, progress=progress)
    words = (
        f"{settings.steps} steps, {settings.size} x {settings.size} pixels, seed {settings.seed}; mean over places before the "
        f"non-linearity: {to.start:.2f} to {to.reached:.2f} towards, {-off.start:.2f} to {-off.reached:.2f} away"
    )
    return _shown(to, "towards"), _shown(off, "away from"), words


def _shown(made: Painted, way: str) -> tuple[Picture, ...]:
    from brainscan.features.channels.pictures import webp

    return tuple(
        Picture(
            webp=_text(webp(picture.transpose(1, 2, 0))), alt=f"made by optimisation {way} the channel, number {i + 1}"
        )
        for i, picture in enumerate(made.pictures)
    )


def _text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()
