"""A measurement before and after on one axis: hollow before, solid after, each with its interval."""

from __future__ import annotations

from markupsafe import Markup

from brainscan.report.figures import svg
from brainscan.report.words import measured
from brainscan.scan.compare import ComparedRow

_WIDTH, _HEIGHT = 220, 44
_ROWS = {"before": 14, "after": 32}


def pair_strip(row: ComparedRow) -> Markup:
    """220 x 44, rates on 0 to 1, other units around both intervals."""
    sides = {"before": row.before, "after": row.after}
    ends = [
        bound for m in sides.values() for bound in (m.value, *((m.interval.lo, m.interval.hi) if m.interval else ()))
    ]
    x = svg.Axis(0, 1, 52, 212) if row.after.unit == "rate" else svg.axis_around(ends, 52, 212, 0.15)
    slope = svg.line((x(row.before.value), _ROWS["before"]), (x(row.after.value), _ROWS["after"]), "slope")
    parts = [svg.line((52, 23), (212, 23), "grid"), slope]
    for name, measurement in sides.items():
        y = _ROWS[name]
        parts.append(svg.text(0, y + 4.5, name, "axis"))
        if measurement.interval:
            parts.append(svg.line((x(measurement.interval.lo), y), (x(measurement.interval.hi), y), "whisker"))
        parts.append(svg.dot(x(measurement.value), y, 4.5, "hollow" if name == "before" else "value"))
    title = f"{row.name}: before {measured(row.before)}, after {measured(row.after)}"
    return svg.drawing(_WIDTH, _HEIGHT, title, "Two dots with intervals on one axis.", *parts, class_="pair")
