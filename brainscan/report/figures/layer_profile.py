"""The layer profile: one value per layer, with the band that controls or random strings fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from brainscan.core.evidence import Figure
from brainscan.report.figures import svg
from brainscan.report.words import number, tick

_HEIGHT = 210


@dataclass(frozen=True)
class LayerProfile:
    """The drawing in both widths."""

    wide: Markup
    narrow: Markup


def draw_layer_profile(
    figure: Figure, values: NDArray[np.floating], band: NDArray[np.floating] | None = None
) -> LayerProfile:
    """Draw values [layer], with a band [2, layer] (lower and upper edge) where there is one."""
    values = np.where(np.isfinite(values), values, np.nan)
    return LayerProfile(_draw(figure, values, band, 920, "wide"), _draw(figure, values, band, 360, "narrow"))


def _draw(
    figure: Figure, values: NDArray[np.floating], band: NDArray[np.floating] | None, width: int, class_: str
) -> Markup:
    every = [0.0, *values.tolist(), *([] if band is None else band.ravel().tolist())]
    y = svg.axis_around(every, _HEIGHT - 24, 36)
    x = svg.Axis(-0.5, len(values) - 0.5, 52, width - 10)
    line = [(x(i), y(float(v)) if np.isfinite(v) else float("nan")) for i, v in enumerate(values)]
    parts = [
        *_grid(y, width),
        *_layer_ticks(figure.layers, x),
        *([] if band is None else _band(band, x, y)),
        svg.path(line, "series"),
        *_points(line, values, band),
        *_read(figure, line, values, width),
        svg.text(20, 14, figure.unit, "axis"),
        svg.text(46, _HEIGHT - 6, "layer", "axis strong", "end"),
    ]
    return svg.drawing(width, _HEIGHT, figure.title, _describe(figure, values), *parts, class_=class_)


def _grid(y: svg.Axis, width: int) -> list[Markup]:
    parts = []
    for level in y.ticks(4):
        parts.append(svg.line((52, y(level)), (width - 10, y(level)), "zero" if level == 0 else "grid"))
        parts.append(svg.text(46, y(level) + 4.5, tick(level), "axis", "end"))
    return parts


def _layer_ticks(layers: tuple[int, ...], x: svg.Axis) -> list[Markup]:
    every = max(1, round(len(layers) * 34 / (x.end - x.start)))
    return [svg.text(x(i), _HEIGHT - 6, str(layers[i]), "axis", "middle") for i in range(0, len(layers), every)]


def _band(band: NDArray[np.floating], x: svg.Axis, y: svg.Axis) -> list[Markup]:
    low, high = ([(x(i), y(float(v))) for i, v in enumerate(edge)] for edge in band)
    return [svg.path([*low, *reversed(high)], "band", closed=True), svg.path(low, "edge"), svg.path(high, "edge")]


def _points(line: list[svg.Point], values: NDArray[np.floating], band: NDArray[np.floating] | None) -> list[Markup]:
    if band is None:
        return [svg.dot(*point, 2.5, "point") for point in line if np.isfinite(point[1])]
    outside = (values < band[0]) | (values > band[1])
    return [svg.dot(*line[i], 3.5, "point") for i in np.flatnonzero(outside)]


def _read(figure: Figure, line: list[svg.Point], values: NDArray[np.floating], width: int) -> list[Markup]:
    """A tick and words at the strongest layer."""
    if not np.isfinite(values).any():
        return []
    best = int(np.nanargmax(np.abs(values)))
    px, py = line[best]
    peak = f"{number(float(values[best]), signed=True)} {figure.unit} at layer {figure.layers[best]}"
    right = px < width * 0.55
    label = svg.text(px + (8 if right else -8), py - 7, peak, "axis strong", "start" if right else "end")
    return [svg.line((px, _HEIGHT - 24), (px, _HEIGHT - 18), "read"), label]


def _describe(figure: Figure, values: NDArray[np.floating]) -> str:
    if not np.isfinite(values).any():
        return "Nothing was captured."
    best = int(np.nanargmax(np.abs(values)))
    value = number(float(values[best]), signed=True)
    return f"{len(values)} layers. Strongest: {value} {figure.unit} at layer {figure.layers[best]}."
