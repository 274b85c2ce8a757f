"""A feature's histogram: how often it fires how strongly, with every number reachable as text."""

from __future__ import annotations

import math

from markupsafe import Markup

from brainscan.features.examples import Histogram
from brainscan.report.figures import svg
from brainscan.report.words import count, number, tick

_WIDTH, _HEIGHT, _BASE = 320.0, 96.0, 70.0


def draw_histogram(bars: Histogram) -> Markup:
    """Bars on a logarithmic scale of counts, since most firings are weak; empty for a feature that never fired."""
    most = max(bars.counts, default=0)
    if not most:
        return Markup()
    x = svg.Axis(bars.edges[0], bars.edges[-1], 4, _WIDTH - 4)
    parts = []
    for held, lo, hi in zip(bars.counts, bars.edges, bars.edges[1:], strict=False):
        height = (_BASE - 8) * math.log1p(held) / math.log1p(most)
        parts.append(svg.box(x(lo) + 0.5, _BASE - height, x(hi) - x(lo) - 1, height, "bar"))
    parts.append(svg.line((4, _BASE), (_WIDTH - 4, _BASE), "zero"))
    parts.append(svg.text(4, _BASE + 18, "0"))
    parts.append(svg.text(_WIDTH - 4, _BASE + 18, tick(bars.edges[-1]), anchor="end"))
    said = f"{count(sum(bars.counts))} firings between 0 and {number(bars.edges[-1])}; the fullest bar holds {count(most)}."
    return svg.drawing(_WIDTH, _HEIGHT, said, "Height is the logarithm of the count.", *parts, class_="pair")
