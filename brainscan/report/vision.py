"""A vision scan as one HTML file: findings, channels with their pictures, the circuit from parts to whole. No torch."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from brainscan.circuits.parts.graph import Part, PartsCircuit
from brainscan.core.provenance import brainscan_version
from brainscan.diagnosis.finding import Diagnosis, Finding
from brainscan.features.channels.card import ChannelCard, Picture
from brainscan.features.channels.selectivity import Selectivity
from brainscan.report.figures.histogram import draw_histogram
from brainscan.report.figures.parts import draw_kernel, draw_parts
from brainscan.report.page import assemble
from brainscan.report.view import scan_view
from brainscan.report.words import WORDS
from brainscan.scan.record import Arrays, Scan

MOST_SKIPPED = 50
STYLES = ("page.css", "vision.css")


@dataclass(frozen=True)
class VisionPage:
    """Everything that the page is made of."""

    scan: Scan
    diagnosis: Diagnosis
    arrays: Arrays
    cards: tuple[ChannelCard, ...]
    circuit: PartsCircuit | None
    thumbnails: Mapping[str, Picture]
    images: int
    labels: int
    folder: str
    skipped: tuple[str, ...]
    converted: Mapping[str, int]


@dataclass(frozen=True)
class CardView:
    """One card with its drawings."""

    card: ChannelCard
    bars: Markup
    most: float
    """Largest mean of its labels, the end of the bars."""


@dataclass(frozen=True)
class PartView:
    """One part with its drawings."""

    part: Part
    kernel: Markup
    picture: Picture | None


def vision_html(page: VisionPage) -> str:
    """The whole page."""
    return assemble(
        "vision.html.j2",
        styles=STYLES,
        page=page,
        view=scan_view(page.scan, page.diagnosis, page.arrays),
        cards=[_card(card) for card in page.cards],
        selected=[(each, card) for card in page.cards if (each := card.selectivity)],
        skipped=page.skipped[:MOST_SKIPPED],
        **_circuit_slots(page.circuit, page.thumbnails),
        uri=uri,
    )


def circuit_html(circuit: PartsCircuit, thumbnails: Mapping[str, Picture]) -> str:
    """The circuit of one channel as a page of its own."""
    slots = _circuit_slots(circuit, thumbnails)
    return assemble("vision_circuit.html.j2", styles=STYLES, version=brainscan_version(), uri=uri, **slots)


def uri(picture: Picture) -> Markup:
    """The address of a picture inside the page; what is no base64 is no picture."""
    try:
        base64.b64decode(picture.webp, validate=True)
    except (binascii.Error, ValueError):
        return Markup("data:,")
    return Markup(f"data:image/webp;base64,{picture.webp}")


def printed_finding(finding: Finding) -> tuple[str | tuple[str, str], ...]:
    """A finding as one line of a terminal."""
    word = WORDS[finding.verdict]
    return (f"{word.tag:<4} {word.word:<13} ", (f"{finding.title:<16} ", "bold"), finding.summary)


def printed_selectivity(found: Selectivity) -> str:
    """What was found for a label, as one line of a terminal."""
    best = found.candidates[0]
    return (
        f"{found.label}: {best.channel} ({best.path}, {best.statistic}) AUROC {best.held_out:.3f} "
        f"[{best.interval.lo:.2f}, {best.interval.hi:.2f}] on {found.positives[1]} held-out images; shuffled labels at most "
        f"{max(found.control, default=0.5):.2f}, p {found.p_value:.3f} (min {1 / (len(found.control) + 1):.3f})"
    )


def _circuit_slots(circuit: PartsCircuit | None, thumbnails: Mapping[str, Picture]) -> dict[str, object]:
    if circuit is None:
        return {"circuit": None, "drawing": Markup(), "parts": [], "below": []}
    return {
        "circuit": circuit,
        "drawing": draw_parts(circuit, thumbnails),
        "parts": [_part(part, thumbnails) for part in sorted(circuit.parts, key=lambda part: part.row)],
        "below": [_part(part, thumbnails) for part in circuit.below],
    }


def _part(part: Part, thumbnails: Mapping[str, Picture]) -> PartView:
    return PartView(part, draw_kernel(part.kernel), thumbnails.get(part.channel))


def _card(card: ChannelCard) -> CardView:
    return CardView(card, draw_histogram(card.histogram), max((lift.mean for lift in card.lifts), default=1.0) or 1.0)
