"""Figures of toy models of superposition: what is stored, the phase change, and the geometry. Each in both widths."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from brainscan.report.figures import svg
from brainscan.report.words import tick

_FULL = 1.4
"""Squared norm that fills a bar: sparse models store features at a little over 1."""

_LETTERS = {"absent": "–", "alone": "1", "shared": "½"}


def draw_stored(
    densities: Sequence[float], norms: Sequence[Sequence[float]], shared: Sequence[Sequence[bool]]
) -> Markup:
    """One row a density, one bar a feature: height is how strongly it is stored, hatched where it shares its direction."""
    words = f"{len(densities)} models of {len(norms[0])} features; rarer features are stored in greater number."

    def draw(width: float, class_: str) -> Markup:
        row, left, parts = 62, 52, []
        for r, (density, values) in enumerate(zip(densities, norms, strict=True)):
            base, step = (r + 1) * row - 10, (width - left - 4) / len(values)
            parts += [svg.text(0, base - 4, _percent(density), "axis"), svg.line((left, base), (width, base), "zero")]
            for i, value in enumerate(values):
                height = min(value / _FULL, 1) * (row - 18)
                parts.append(_bar(left + 3 + i * step, base - height, step - 3, height, shared[r][i]))
        return svg.drawing(width, row * len(densities) + 4, "Features stored", words, *parts, class_=class_)

    return _both(draw)


def draw_dimensions(densities: Sequence[float], per_feature: Sequence[float]) -> Markup:
    """Dimensions that a stored feature takes, over how rare features are: 1 is no superposition."""
    words = f"From {tick(per_feature[0])} at the densest to {tick(per_feature[-1])} at the rarest."

    def draw(width: float, class_: str) -> Markup:
        x, y = svg.Axis(-0.2, len(densities) - 0.8, 52, width - 20), svg.Axis(0, 1.1, 176, 20)
        points = [(x(i), y(v)) for i, v in enumerate(per_feature)]
        parts = [svg.line((52, y(v)), (width - 20, y(v)), "zero" if v == 0 else "grid") for v in (0, 0.5, 1)]
        parts += [svg.text(46, y(v) + 4.5, tick(v), "axis", "end") for v in (0, 0.5, 1)]
        parts += [svg.path(points, "series"), *(svg.dot(*p, 3.5, "point") for p in points)]
        parts += [svg.text(x(i), 196, _percent(d), "axis", "middle") for i, d in enumerate(densities)]
        return svg.drawing(width, 202, "Dimensions a feature", words, *parts, class_=class_)

    return _both(draw)


def draw_phase(densities: Sequence[float], importances: Sequence[float], outcome: Sequence[Sequence[str]]) -> Markup:
    """Cells of density by importance: outlined for absent, solid for a dimension of its own, hatched for shared."""
    words = "; ".join(f"importance {tick(i)}: {', '.join(row)}" for i, row in zip(importances, outcome, strict=True))
    left, top = 84, 24

    def draw(width: float, class_: str) -> Markup:
        cell = min(56.0, (width - left) / len(densities))
        foot = top + len(importances) * cell + 14
        parts = [svg.text(0, 14, "importance", "axis strong"), svg.text(left - 10, foot, "there", "axis strong", "end")]
        for r, (importance, row) in enumerate(zip(importances, outcome, strict=True)):
            y = top + (len(importances) - 1 - r) * cell
            parts.append(svg.text(left - 10, y + cell / 2 + 4, f"{tick(importance)} ×", "axis", "end"))
            for c, word in enumerate(row):
                parts += _cell(left + c * cell, y, cell - 4, word)
        middles = (left + c * cell + cell / 2 - 2 for c in range(len(densities)))
        parts += [svg.text(x, foot, _percent(d), "axis", "middle") for x, d in zip(middles, densities, strict=True)]
        return svg.drawing(width, foot + 10, "Phase change", words, *parts, class_=class_)

    return _both(draw)


def draw_geometry(titles: Sequence[str], vectors: Sequence[Sequence[tuple[float, float]]]) -> Markup:
    """Where each feature lives in two dimensions, one panel a model: side by side, or below one another."""
    words = "; ".join(f"{t}: {len(v)} features in two dimensions" for t, v in zip(titles, vectors, strict=True))
    side = 232

    def draw(width: float, class_: str) -> Markup:
        wide, parts = width > 400, []
        for p, (title, places) in enumerate(zip(titles, vectors, strict=True)):
            corner = (p * side, 0.0) if wide else (60.0, p * (side + 30.0))
            parts += _panel(title, places, corner, side)
        height = side + 30 if wide else len(titles) * (side + 30)
        return svg.drawing(width, height, "Geometry", words, *parts, class_=class_)

    return _both(draw)


def _both(draw: Callable[[float, str], Markup]) -> Markup:
    return draw(720, "wide") + draw(352, "narrow")


def _percent(share: float) -> str:
    return f"{tick(share * 100)}%"


def _panel(title: str, places: Sequence[tuple[float, float]], corner: svg.Point, side: float) -> list[Markup]:
    cx, cy = corner[0] + side / 2, corner[1] + side / 2 + 24
    reach = max([1.0, *((a * a + b * b) ** 0.5 for a, b in places)])
    scale, arm = (side / 2 - 22) / reach, side / 2 - 22
    parts = [svg.text(cx, corner[1] + 14, title, "axis strong", "middle")]
    parts += [svg.line((cx - arm, cy), (cx + arm, cy), "grid"), svg.line((cx, cy - arm), (cx, cy + arm), "grid")]
    for a, b in places:
        end = (cx + a * scale, cy - b * scale)
        parts += [svg.line((cx, cy), end, "whisker"), svg.dot(*end, 5, "value")]
    return parts


def _bar(x: float, y: float, width: float, height: float, shared: bool) -> Markup:
    return _hatched(x, y, width, height) if shared else svg.box(x, y, width, height, "control")


def _cell(x: float, y: float, side: float, word: str) -> list[Markup]:
    """A square with its letter on a plain ground."""
    looks = {"alone": "control", "absent": "frame"}
    square = _hatched(x, y, side, side) if word == "shared" else svg.box(x, y, side, side, looks[word])
    middle = x + side / 2, y + side / 2
    return [
        square,
        svg.dot(*middle, 11, "hollow"),
        svg.text(middle[0], middle[1] + 4.5, _LETTERS[word], "strong", "middle"),
    ]


def _hatched(x: float, y: float, width: float, height: float) -> Markup:
    # A page's policy blocks style attributes, not presentation attributes; the pattern is the page's own.
    return svg.tag("rect", x=x, y=y, width=width, height=max(height, 0), fill="url(#hatch)", stroke="currentColor")
