"""A circuit of parts as a drawing: the channel on the right, its parts on the left from the top of the picture to the bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from brainscan.circuits.parts.graph import Part, PartsCircuit
from brainscan.features.channels.card import Picture
from brainscan.report.figures import svg
from brainscan.report.words import number

_WIDTH, _THUMB, _TARGET, _STEP, _TOP = 640.0, 56.0, 128.0, 66.0, 34.0
_STEPS = 9


def draw_parts(circuit: PartsCircuit, thumbnails: Mapping[str, Picture]) -> Markup:
    """Pictures of the parts, ordered by where in the image they contribute, with lines as wide as their share."""
    parts = sorted(circuit.parts, key=lambda part: part.row)
    if not parts:
        return Markup()
    height = max(_TOP + _STEP * len(parts), _TOP + _TARGET + 60)
    middle = _TOP + (height - _TOP) / 2
    most = max(part.share for part in parts) or 1.0
    x_target = _WIDTH - _TARGET - 8
    drawn = [svg.text(0, 16, "top of the picture"), svg.text(x_target, 16, circuit.label, "strong")]
    for i, part in enumerate(parts):
        y = _TOP + _STEP * i
        drawn += _part(part, thumbnails.get(part.channel), y)
        start, end = (250.0, y + _THUMB / 2), (x_target - 4, middle)
        bend = (start[0] + end[0]) / 2
        curve = f"M{start[0]:.0f} {start[1]:.0f}C{bend:.0f} {start[1]:.0f} {bend:.0f} {end[1]:.0f} {end[0]:.0f} {end[1]:.0f}"
        drawn.append(svg.tag("path", d=curve, class_="wire", stroke_width=1 + 5 * part.share / most))
    drawn.append(svg.text(0, height + 14, "bottom of the picture"))
    if circuit.target in thumbnails:
        drawn.append(_image(x_target, middle - _TARGET / 2, _TARGET, thumbnails[circuit.target]))
    drawn.append(svg.text(x_target, middle + _TARGET / 2 + 18, circuit.target, "strong"))
    title = f"{len(parts)} parts of {circuit.target} for {circuit.label}"
    said = "; ".join(f"{part.channel} carries {part.share:.1%}, {part.row:.0%} from the top" for part in parts)
    return svg.drawing(_WIDTH, height + 20, title, said, *drawn, class_="parts")


def _part(part: Part, picture: Picture | None, y: float) -> list[Markup]:
    drawn = [] if picture is None else [_image(0, y, _THUMB, picture)]
    drawn.append(draw_map(part.where, 62, y, _THUMB))
    drawn.append(svg.text(126, y + 17, part.channel, "strong"))
    drawn.append(svg.text(126, y + 34, f"{part.share:.1%} of the lift"))
    sign = number(part.weight, signed=True)
    drawn.append(svg.text(126, y + 51, f"weight {sign}" if part.kind == "exact" else f"slope {sign}"))
    return drawn


def draw_map(values: Sequence[Sequence[float]], x: float, y: float, size: float) -> Markup:
    """A map of contributions as cells on one ramp from 0 to its largest; what lowers stays blank."""
    most = max((max(row) for row in values), default=0.0)
    cell = size / max(len(values), 1)
    wide = size / max(len(values[0]) if values else 1, 1)
    cells = [
        svg.box(x + j * wide, y + i * cell, wide, cell, f"q{min(_STEPS - 1, int(_STEPS * value / most))}")
        for i, row in enumerate(values)
        for j, value in enumerate(row)
        if most > 0 and value > 0
    ]
    return svg.tag("g", *cells, svg.box(x, y, size, size, "frame"))


def draw_kernel(kernel: Sequence[Sequence[float]]) -> Markup:
    """Signed weights by offset: orange adds, blue takes away, zero marked by the middle colour."""
    if not kernel or len(kernel) * len(kernel[0]) == 1:
        return Markup()
    most = max(abs(value) for row in kernel for value in row) or 1.0
    cell = 72 / max(len(kernel), len(kernel[0]))
    cells = [
        svg.box(j * cell, i * cell, cell, cell, f"d{round(4 + 4 * value / most)}")
        for i, row in enumerate(kernel)
        for j, value in enumerate(row)
    ]
    plus = sum(max(value, 0) for row in kernel for value in row)
    minus = sum(min(value, 0) for row in kernel for value in row)
    title = f"{len(kernel)} x {len(kernel[0])} weights, {number(plus, signed=True)} and {number(minus, signed=True)}"
    return svg.drawing(72, 72, title, "Orange adds, blue takes away.", *cells, class_="kernel")


def _image(x: float, y: float, size: float, picture: Picture) -> Markup:
    href = f"data:image/webp;base64,{picture.webp}"
    return svg.tag("image", svg.tag("title", picture.alt), x=x, y=y, width=size, height=size, href=href)
