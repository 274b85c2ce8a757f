"""A small SVG writer: elements with escaped text, and the few shapes that every figure draws.

No element carries a style attribute (the page's policy blocks them): looks are classes of the page's style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from brainscan.core.visible import visible

Point = tuple[float, float]


def tag(name: str, *children: str | Markup, **attributes: str | float | None) -> Markup:
    """One element. ``class_`` is class, other underscores become hyphens; None leaves an attribute out."""
    spelled = "".join(f' {_key(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None)
    inside = "".join(child if isinstance(child, Markup) else escape(visible(child)) for child in children)
    return Markup(f"<{name}{spelled}>{inside}</{name}>" if children else f"<{name}{spelled}/>")


def drawing(width: float, height: float, title: str, description: str, *children: Markup, class_: str) -> Markup:
    """A whole figure with its accessible name and description."""
    head = (tag("title", title), tag("desc", description))
    frame = f"0 0 {width:g} {height:g}"
    return tag("svg", *head, *children, viewBox=frame, class_=class_, role="img", width=width, height=height)


def text(x: float, y: float, words: str, class_: str = "axis", anchor: str = "start", turn: float = 0) -> Markup:
    """A label; ``turn`` in degrees around its anchor."""
    rotate = f"rotate({turn:g} {x:.1f} {y:.1f})" if turn else None
    return tag("text", words, x=x, y=y, class_=class_, text_anchor=anchor, transform=rotate)


def line(start: Point, end: Point, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def box(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """A rectangle."""
    return tag("rect", x=x, y=y, width=max(width, 0), height=max(height, 0), class_=class_)


def dot(x: float, y: float, r: float, class_: str) -> Markup:
    """A disc."""
    return tag("circle", cx=x, cy=y, r=r, class_=class_)


def diamond(x: float, y: float, r: float, class_: str) -> Markup:
    """A diamond: the model's own value among its controls."""
    return tag(
        "path", d=f"M{x:.1f} {y - r:.1f}L{x + r:.1f} {y:.1f}L{x:.1f} {y + r:.1f}L{x - r:.1f} {y:.1f}Z", class_=class_
    )


def path(points: Iterable[Point], class_: str, *, closed: bool = False) -> Markup:
    """A line through points; a point that is not finite breaks it."""
    pieces, pen = [], "M"
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            pen = "M"
            continue
        pieces.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return tag("path", d="".join(pieces) + ("Z" if closed else ""), class_=class_)


@dataclass(frozen=True)
class Axis:
    """A linear map from values to pixels, with round ticks."""

    lo: float
    hi: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixel of a value; values outside are held at the ends."""
        share = (min(max(value, self.lo), self.hi) - self.lo) / (self.hi - self.lo)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """At most ``most`` round values within the axis (1, 2 or 5 times a power of ten apart)."""
        rough = (self.hi - self.lo) / most
        power = 10 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
        first = math.ceil(self.lo / step - 1e-9)
        return [round(k * step, 10) for k in range(first, math.floor(self.hi / step + 1e-9) + 1)]


def axis_around(values: Sequence[float], start: float, end: float, margin: float = 0.08) -> Axis:
    """An axis that shows all finite values with some room at both ends."""
    known = [value for value in values if math.isfinite(value)] or [0.0]
    lo, hi = min(known), max(known)
    room = (hi - lo) * margin or abs(hi) * margin or 1.0
    return Axis(lo - room, hi + room, start, end)


def _key(key: str) -> str:
    return key if key == "viewBox" else key.rstrip("_").replace("_", "-")


def _value(value: str | float | None) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, int | float) else str(escape(visible(str(value))))
