"""The scan image: layers x tokens, one pixel per cell, with its margins, strongest cells and numbers.

Drawn twice: wide (tokens across, layer 0 at the bottom) and narrow for phones (tokens down the page).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from brainscan.core.evidence import Figure
from brainscan.report.figures import svg
from brainscan.report.figures.png import data_uri, indexed_png
from brainscan.report.figures.ramps import Scale, scale_for
from brainscan.report.shown import plain_token
from brainscan.report.words import count, number

MOST_TOKENS = 256
_WIDE, _NARROW = 920, 360
_STRONGEST = 12


@dataclass(frozen=True)
class Cell:
    """One cell of the picture."""

    layer: int
    position: int
    token: str
    value: float


@dataclass(frozen=True)
class ScanImage:
    """What the page shows of one scan image."""

    wide: Markup
    narrow: Markup
    scale: Scale
    notes: tuple[str, ...]
    """What was clipped, folded or not captured, counted."""
    strongest: tuple[Cell, ...]
    rows: tuple[tuple[float | None, ...], ...]
    """Drawn values [layer, token], rounded, for the cell reader; None where nothing was captured."""
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class _Frame:
    """Where the cells lie on the canvas."""

    left: float
    top: float
    step_x: float
    step_y: float
    columns: int
    rows: int

    @property
    def width(self) -> float:
        return self.step_x * self.columns

    @property
    def height(self) -> float:
        return self.step_y * self.rows


def draw_scan_image(figure: Figure, values: NDArray[np.floating]) -> ScanImage:
    """Draw an array [layer, token]; NaN cells stay hatched and are never zero."""
    values = np.where(np.isfinite(values), values, np.nan)
    tokens = figure.tokens or tuple(str(i) for i in range(values.shape[1]))
    parts = np.array_split(np.arange(values.shape[1]), min(values.shape[1], MOST_TOKENS))
    drawn = _fold(values, parts)
    labels = tuple(tokens[part[0]] if part[0] < len(tokens) else str(part[0]) for part in parts)
    scale = scale_for(drawn, figure.unit)
    return ScanImage(
        wide=_wide(figure, drawn, labels, scale),
        narrow=_narrow(figure, drawn, labels, scale),
        scale=scale,
        notes=_notes(values, drawn, scale),
        strongest=_strongest(figure, values, tokens),
        rows=tuple(tuple(None if np.isnan(v) else round(float(v), 3) for v in row) for row in drawn),
        tokens=labels,
    )


def _fold(values: NDArray[np.floating], parts: list[NDArray[np.intp]]) -> NDArray[np.floating]:
    """One column for each part of the tokens: in every layer the value farthest from zero."""
    size = np.nan_to_num(np.abs(values), nan=-1.0)
    rows = np.arange(values.shape[0])
    return np.stack([values[rows, part[np.argmax(size[:, part], axis=1)]] for part in parts], axis=1)


def _wide(figure: Figure, values: NDArray[np.floating], tokens: tuple[str, ...], scale: Scale) -> Markup:
    rows, columns = values.shape
    frame = _Frame(66, 44, min(44, (_WIDE - 66 - 96) / columns), min(22, max(8, 360 / rows)), columns, rows)
    height = frame.top + frame.height + 92
    parts = [
        *_cells(values[::-1], scale, frame),
        *_peak(values[::-1], frame),
        *_token_bars(values, frame),
        *_layer_bars(values, frame),
        *_layer_labels(figure.layers, frame),
        *_token_labels(tokens, frame),
        svg.text(14, frame.top + frame.height / 2, "layer", "axis strong", "middle", -90),
        svg.text(frame.left, 14, "strongest of each token", "axis"),
    ]
    return svg.drawing(_WIDE, height, figure.title, _describe(figure, values, tokens), *parts, class_="wide")


def _narrow(figure: Figure, values: NDArray[np.floating], tokens: tuple[str, ...], scale: Scale) -> Markup:
    turned = values.T  # [token, layer]
    rows, columns = turned.shape
    frame = _Frame(128, 42, min(14, (_NARROW - 132) / columns), 20, columns, rows)
    every = max(1, round(24 / frame.step_x))
    parts = [
        *_cells(turned, scale, frame),
        *_peak(turned, frame),
        svg.text(frame.left, 13, "layer", "axis strong"),
        svg.text(frame.left - 8, 13, "token", "axis strong", "end"),
    ]
    for i in range(0, columns, every):
        parts.append(svg.text(frame.left + (i + 0.5) * frame.step_x, 34, str(figure.layers[i]), "axis", "middle"))
    for i, token in enumerate(tokens):
        parts.append(
            svg.text(frame.left - 8, frame.top + (i + 0.72) * frame.step_y, plain_token(token), "token", "end")
        )
    height = frame.top + frame.height + 6
    return svg.drawing(_NARROW, height, figure.title, _describe(figure, values, tokens), *parts, class_="narrow")


def _cells(values: NDArray[np.floating], scale: Scale, frame: _Frame) -> list[Markup]:
    """The hatched ground and the picture in both dresses; the style sheet shows one."""
    index = scale.index(values)
    at = {"x": frame.left, "y": frame.top, "width": frame.width, "height": frame.height}
    pictures = [
        svg.tag("image", href=data_uri(indexed_png(index, scale.ramp.palette(dark=dark))), preserveAspectRatio="none",
                class_=f"px {'in-dark' if dark else 'in-light'}", **at)
        for dark in (False, True)
    ]  # fmt: skip
    ground = svg.tag("rect", fill="url(#hatch)", **at)
    return [ground, *pictures, svg.tag("rect", class_="frame", **at)]


def _peak(values: NDArray[np.floating], frame: _Frame) -> list[Markup]:
    if not np.isfinite(values).any():
        return []
    row, column = np.unravel_index(np.nanargmax(np.abs(values)), values.shape)
    x, y = frame.left + column * frame.step_x, frame.top + row * frame.step_y
    return [svg.box(x - 1, y - 1, frame.step_x + 2, frame.step_y + 2, "peak")]


def _token_bars(values: NDArray[np.floating], frame: _Frame) -> list[Markup]:
    peaks = _largest(values, axis=0)
    heights = 20 * peaks / max(peaks.max(), 1e-12)
    return [
        svg.box(frame.left + i * frame.step_x + 0.5, frame.top - 4 - h, max(frame.step_x - 1, 0.8), float(h), "bar")
        for i, h in enumerate(heights)
    ]


def _layer_bars(values: NDArray[np.floating], frame: _Frame) -> list[Markup]:
    peaks = _largest(values, axis=1)[::-1]
    top = max(peaks.max(), 1e-12)
    x = frame.left + frame.width + 6
    bars = [
        svg.box(x, frame.top + i * frame.step_y + 0.5, 40 * p / top, max(frame.step_y - 1, 0.8), "bar")
        for i, p in enumerate(peaks)
    ]
    best = int(np.argmax(peaks))
    label = svg.text(x + 44, frame.top + (best + 0.5) * frame.step_y + 4.5, number(float(peaks[best])), "axis strong")
    return [*bars, label, svg.text(x, 14, "of each layer", "axis")]


def _layer_labels(layers: tuple[int, ...], frame: _Frame) -> list[Markup]:
    n = len(layers)
    every = max(1, round(28 / frame.step_y))
    keep = [i for i in range(n) if i % every == 0 and (n - 1 - i >= every or i == n - 1)] + [n - 1]
    return [
        svg.text(frame.left - 8, frame.top + (n - 1 - i + 0.5) * frame.step_y + 4.5, str(layers[i]), "axis", "end")
        for i in dict.fromkeys(keep)
    ]


def _token_labels(tokens: tuple[str, ...], frame: _Frame) -> list[Markup]:
    every = max(1, int(np.ceil(14 / frame.step_x)))
    y = frame.top + frame.height + 14
    return [
        svg.text(frame.left + (i + 0.5) * frame.step_x + 4, y, plain_token(tokens[i], 12), "token", "end", -50)
        for i in range(0, len(tokens), every)
    ]


def _notes(values: NDArray[np.floating], drawn: NDArray[np.floating], scale: Scale) -> tuple[str, ...]:
    notes = []
    if scale.clipped:
        notes.append(
            f"{count(scale.clipped)} of {count(drawn.size)} cells lie beyond the scale, drawn in its last colour."
        )
    else:
        notes.append("No cell lies beyond the scale.")
    if values.shape[1] != drawn.shape[1]:
        notes.append(
            f"{count(values.shape[1])} tokens folded to {drawn.shape[1]}; each segment shows its strongest value."
        )
    if missing := int(np.isnan(values).sum()):
        notes.append(f"{count(missing)} hatched cells were not captured.")
    return tuple(notes)


def _strongest(figure: Figure, values: NDArray[np.floating], tokens: tuple[str, ...]) -> tuple[Cell, ...]:
    size = np.nan_to_num(np.abs(values), nan=-1.0)
    order = np.argsort(-size, axis=None, kind="stable")[:_STRONGEST]
    places = [divmod(int(flat), values.shape[1]) for flat in order]
    return tuple(
        Cell(figure.layers[row], column, tokens[column] if column < len(tokens) else "", float(values[row, column]))
        for row, column in places
        if size[row, column] >= 0
    )


def _largest(values: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
    return np.nan_to_num(np.abs(values), nan=0.0).max(axis=axis)


def _describe(figure: Figure, values: NDArray[np.floating], tokens: tuple[str, ...]) -> str:
    if not np.isfinite(values).any():
        return "Nothing was captured."
    row, column = np.unravel_index(np.nanargmax(np.abs(values)), values.shape)
    value = number(float(values[row, column]), signed=True)
    place = f"layer {figure.layers[row]}, token {plain_token(tokens[column])}"
    return f"{len(figure.layers)} layers by {len(tokens)} tokens. Strongest: {value} {figure.unit} at {place}."
