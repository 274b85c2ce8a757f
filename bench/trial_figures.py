"""Figures of the trial report, as SVG files that follow the reader's light or dark setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from brainscan.report.figures import svg

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#444}.grid{stroke:#ddd}.one{stroke:#1f5fa8;fill:none;stroke-width:2}"
    ".two{stroke:#c2570c;fill:none;stroke-width:2;stroke-dasharray:6 4}.three{stroke:#777;fill:none;stroke-width:2;"
    "stroke-dasharray:2 3}.fill{fill:#1f5fa8}.pale{fill:#c2570c}.ring{fill:none;stroke:#777}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}.grid{stroke:#444}.one{stroke:#7db3ef}.two{stroke:#f0a35e}"
    ".fill{fill:#7db3ef}.pale{fill:#f0a35e}}"
)
_LINES = ("one", "two", "three")
Series = Mapping[str, Sequence[tuple[float, float]]]


def curves(path: Path, title: str, series: Series, across: str, up: str, *, steps: bool = False) -> None:
    """Up to three curves over one pair of axes; ``steps`` draws them as stairs, for ROC curves."""
    every = [point for points in series.values() for point in points]
    x = svg.Axis(min(p[0] for p in every), max(p[0] for p in every), 60, 400)
    y = svg.Axis(0.0, 1.0, 260, 20)
    parts = [svg.line((60, y(t)), (400, y(t)), "grid") for t in (0, 0.25, 0.5, 0.75, 1)]
    parts += [svg.text(52, y(t) + 4, f"{t:g}", "axis", "end") for t in (0, 0.5, 1)]
    parts += [
        svg.text(x(t), 280, f"{t:g}", "axis", "middle") for t in sorted({p[0] for p in every} if not steps else {0, 1})
    ]
    for i, (name, points) in enumerate(series.items()):
        drawn = _stairs(points) if steps else list(points)
        parts.append(svg.path([(x(a), y(b)) for a, b in drawn], _LINES[i % 3]))
        parts.append(svg.line((420, 40 + 24 * i), (450, 40 + 24 * i), _LINES[i % 3]))
        parts.append(svg.text(456, 44 + 24 * i, name))
    parts += [svg.text(230, 304, across, "axis", "middle"), svg.text(16, 140, up, "axis", "middle", turn=-90)]
    _write(path, 640, 316, title, parts)


def bars(path: Path, title: str, rows: Sequence[tuple[str, float, float, float]]) -> None:
    """Rates with their intervals: (name, value, lo, hi), one row each."""
    x = svg.Axis(0.0, 1.0, 220, 600)
    parts = [svg.line((x(t), 10), (x(t), 20 + 26 * len(rows)), "grid") for t in (0, 0.25, 0.5, 0.75, 1)]
    parts += [svg.text(x(t), 38 + 26 * len(rows), f"{t:.0%}", "axis", "middle") for t in (0, 0.5, 1)]
    for i, (name, value, lo, hi) in enumerate(rows):
        at = 24 + 26 * i
        parts += [
            svg.text(210, at + 5, name, "axis", "end"),
            svg.line((x(lo), at), (x(hi), at), "one"),
            svg.dot(x(value), at, 5, "fill"),
        ]
    _write(path, 640, 50 + 26 * len(rows), title, parts)


def confusion(path: Path, title: str, names: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
    """Rows are what was planted, columns what was named; the area of a disc is the count."""
    side, left, top = 30.0, 150.0, 130.0
    most = max((n for row in counts for n in row), default=1) or 1
    parts = []
    for i, name in enumerate(names):
        parts.append(svg.text(left - 8, top + side * (i + 0.5) + 4, name, "axis", "end"))
        parts.append(svg.text(left + side * (i + 0.6), top - 8, name, "axis", "start", turn=-55))
    for i, row in enumerate(counts):
        for j, n in enumerate(row):
            centre = (left + side * (j + 0.5), top + side * (i + 0.5))
            if n:
                parts.append(svg.dot(*centre, 12 * (n / most) ** 0.5, "fill" if i == j else "pale"))
                parts.append(svg.text(centre[0] + 10, centre[1] + 14, str(n)))
            else:
                parts.append(svg.dot(*centre, 1, "ring"))
    _write(path, int(left + side * (len(names) + 3)), int(top + side * len(counts) + 16), title, parts)


def _stairs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    drawn: list[tuple[float, float]] = []
    for a, b in points:
        if drawn:
            drawn.append((a, drawn[-1][1]))
        drawn.append((a, b))
    return drawn


def _write(path: Path, width: int, height: int, title: str, parts: Sequence[Markup]) -> None:
    style = Markup(f"<style>{_STYLE}</style>")
    picture = svg.drawing(width, height, title, title, style, *parts, class_="trial")
    text = str(picture).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    path.write_text(text + "\n")
