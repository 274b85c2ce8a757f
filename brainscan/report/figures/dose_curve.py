"""The dose curve: how often the behaviour still shows against what each dose did to neutral text."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from brainscan.report.figures import svg
from brainscan.report.words import number, tick
from brainscan.treatment.record import DosePoint

_TOP, _FOOT = 30.0, 250.0


def draw_dose_curve(points: Sequence[DosePoint], chosen: tuple[str, float], guard: float) -> Markup:
    """One dot a dose with its interval, a line a candidate; hollow dots did not pass the guard, the diamond was chosen."""
    words = "; ".join(
        f"{p.candidate} at dose {p.dose:g}: shows in {p.on.hits} of {p.on.n}, perplexity {number(p.perplexity)} times"
        for p in points
    )
    return _draw(points, chosen, guard, words, 920, "wide") + _draw(points, chosen, guard, words, 352, "narrow")


def _draw(
    points: Sequence[DosePoint], chosen: tuple[str, float], guard: float, words: str, width: float, class_: str
) -> Markup:
    ratios = [100 * (p.perplexity - 1) for p in points]
    most = min(max([*ratios, 100 * (guard - 1), 2.0]), 100.0)
    x = svg.axis_around([*(min(r, most) for r in ratios), 0.0, 100 * (guard - 1)], 52, width - 20, 0.08)
    y = svg.Axis(0, 1, _FOOT, _TOP)
    parts = [svg.text(0, 14, "share of prompts in which it shows", "axis strong")]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts += [svg.line((52, y(share)), (width - 20, y(share)), "grid")]
        parts += [svg.text(44, y(share) + 4, f"{100 * share:g}%", "axis", "end")]
    parts += [
        svg.text(x(t), _FOOT + 20, f"{tick(t, signed=True)}%", "axis", "middle")
        for t in x.ticks(6 if width > 400 else 4)
    ]
    parts.append(svg.text(width - 20, _FOOT + 40, "change of neutral text's perplexity", "axis strong", "end"))
    at = x(100 * (guard - 1))
    parts += [svg.line((at, _TOP - 8), (at, _FOOT), "threshold"), svg.text(at + 5, _TOP - 2, "guard", "axis")]
    for candidate in dict.fromkeys(p.candidate for p in points):
        mine = [p for p in points if p.candidate == candidate]
        parts.append(svg.path(((x(100 * (p.perplexity - 1)), y(p.on.value)) for p in mine), "series thin"))
    for point in points:
        parts += _dot(point, x, y, (point.candidate, point.dose) == chosen)
    return svg.drawing(width, _FOOT + 48, "Dose curve", words, *parts, class_=class_)


def _dot(point: DosePoint, x: svg.Axis, y: svg.Axis, chosen: bool) -> list[Markup]:
    at = x(100 * (point.perplexity - 1)), y(point.on.value)
    bounds = point.on.interval
    parts = [svg.line((at[0], y(bounds.lo)), (at[0], y(bounds.hi)), "edge")]
    parts.append(svg.diamond(*at, 8, "model") if chosen else svg.dot(*at, 5, "value" if point.held else "hollow"))
    parts.append(svg.text(at[0] + 10, at[1] - 7, f"×{point.dose:g}", "axis strong" if chosen else "axis"))
    return parts
