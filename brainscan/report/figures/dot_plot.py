"""A score against its controls, one dot per control; and the small strip of a value with its interval."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from brainscan.core.evidence import Measurement
from brainscan.diagnosis.finding import Reading
from brainscan.report.figures import svg
from brainscan.report.words import amount, count, measured, p_value

MOST_DOTS = 200
_QUANTILES = 100
_MODEL_ROW = 50.0


@dataclass(frozen=True)
class DotPlot:
    """The drawing in both widths, with the sentence under it."""

    wide: Markup
    narrow: Markup
    caption: str


def draw_dot_plot(reading: Reading) -> DotPlot:
    """Controls as stacked dots, the model as a diamond, the threshold as a rule with its false alarms."""
    controls = reading.control_values
    dots = controls if len(controls) <= MOST_DOTS else _quantile_dots(controls)
    return DotPlot(_draw(reading, dots, 920, "wide"), _draw(reading, dots, 360, "narrow"), _caption(reading))


def interval_strip(measurement: Measurement, threshold: float) -> Markup:
    """120 x 18: the value with its interval, the threshold as a tick; rates on 0 to 1."""
    bounds = measurement.interval
    ends = [measurement.value, threshold, *((bounds.lo, bounds.hi) if bounds else ())]
    x = svg.Axis(0, 1, 5, 115) if measurement.unit == "rate" else svg.axis_around([*ends, 0.0], 5, 115, 0.1)
    parts = [svg.line((5, 9), (115, 9), "grid"), svg.line((x(threshold), 2), (x(threshold), 16), "threshold")]
    if bounds:
        parts.append(svg.line((x(bounds.lo), 9), (x(bounds.hi), 9), "whisker"))
    parts.append(svg.dot(x(measurement.value), 9, 4, "value"))
    words = f"{measured(measurement)}; threshold {amount(threshold, measurement.unit)}"
    return svg.drawing(120, 18, words, "Dot with interval; the upright tick is the threshold.", *parts, class_="strip")


def _draw(reading: Reading, dots: tuple[float, ...], width: int, class_: str) -> Markup:
    value, unit = reading.measurement.value, reading.measurement.unit
    bounds = reading.measurement.interval
    ends = (value, reading.threshold, *dots, *((bounds.lo, bounds.hi) if bounds else ()))
    x = svg.axis_around(ends, 20, width - 20, 0.06)
    radius = 5.0 if width > 400 else 3.5
    bins = [round((x(v) - x.start) / (2 * radius)) for v in dots]
    tallest = max(Counter(bins).values(), default=1)
    base = _MODEL_ROW + 18 + tallest * 2 * radius
    parts = [svg.line((20, base), (width - 20, base), "zero")]
    parts += [svg.text(x(t), base + 18, amount(t, unit), "axis", "middle") for t in x.ticks(6 if width > 400 else 4)]
    parts += _stack(bins, x.start, base, radius)
    parts += _rule(reading, x, base, width)
    if bounds:
        parts.append(svg.line((x(bounds.lo), _MODEL_ROW), (x(bounds.hi), _MODEL_ROW), "whisker"))
    parts.append(svg.diamond(x(value), _MODEL_ROW, 8, "model"))
    parts.append(
        svg.text(*_beside(x(value), _MODEL_ROW - 14, width), "this model", "axis strong", _side(x(value), width))
    )
    return svg.drawing(
        width, base + 26, f"{reading.measurement.name} against controls", _caption(reading), *parts, class_=class_
    )


def _stack(bins: list[int], start: float, base: float, radius: float) -> list[Markup]:
    seen: Counter[int] = Counter()
    parts = []
    for place in sorted(bins):
        y = base - radius - 1 - seen[place] * 2 * radius
        parts.append(svg.dot(start + place * 2 * radius, y, radius - 0.8, "control"))
        seen[place] += 1
    return parts


def _rule(reading: Reading, x: svg.Axis, base: float, width: int) -> list[Markup]:
    at = x(reading.threshold)
    past = f"{_past(reading)} of {len(reading.control_values)} controls past it"
    words = f"threshold {amount(reading.threshold, reading.measurement.unit)}: {past}"
    side = _side(at, width)
    return [svg.line((at, 20), (at, base), "threshold"), svg.text(at, 13, words, "axis", side)]


def _side(at: float, width: int) -> str:
    return "start" if at < width * 0.3 else ("end" if at > width * 0.7 else "middle")


def _beside(at: float, y: float, width: int) -> svg.Point:
    return {"start": at - 8, "end": at + 8, "middle": at}[_side(at, width)], y


def _past(reading: Reading) -> int:
    if reading.measurement.higher_is == "better":
        return sum(value <= reading.threshold for value in reading.control_values)
    return sum(value >= reading.threshold for value in reading.control_values)


def _caption(reading: Reading) -> str:
    value, controls = reading.measurement.value, reading.control_values
    better = reading.measurement.higher_is == "better"
    beyond = sum(value < c for c in controls) if better else sum(value > c for c in controls)
    words = f"{'Lower' if better else 'Higher'} than {count(beyond)} of {count(len(controls))} controls"
    if reading.p_value is not None:
        scope = "of this measurement" if reading.says == "context" else "of all conditions together"
        words += f"; conformal p {scope} {p_value(reading.p_value, reading.smallest_p)}"
    return words + ("." if len(controls) <= MOST_DOTS else ". Each dot stands for 1% of the controls.")


def _quantile_dots(values: tuple[float, ...]) -> tuple[float, ...]:
    at = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return tuple(float(v) for v in np.quantile(np.array(values), at))
