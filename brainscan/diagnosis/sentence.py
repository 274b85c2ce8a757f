"""Fill a criterion's sentence with its measurement's numbers."""

from __future__ import annotations

from brainscan.core.evidence import Measurement
from brainscan.diagnosis.condition import Criterion


def fill(criterion: Criterion, m: Measurement) -> str:
    """The sentence with counts, value and interval; items that could not be scored are said."""
    text = criterion.sentence.format(
        hits=round(m.value * m.n),
        n=m.n,
        rate=percent(m.value),
        value=number(m.value),
        interval=_interval(m),
        baseline=_baseline(m),
        threshold=percent(criterion.threshold) if m.unit == "rate" else number(criterion.threshold),
    )
    return f"{text} {m.not_scored} could not be scored." if m.not_scored else text


def percent(value: float) -> str:
    """A rate as whole percent."""
    return f"{100 * value:.0f}%"


def number(value: float) -> str:
    """Two significant decimals, true minus."""
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}") if abs(value) < 100 else f"{value:,.0f}"


def _interval(m: Measurement) -> str:
    if m.interval is None:
        return "exact"
    if m.unit == "rate":
        return f"{percent(m.interval.lo)[:-1]}\N{EN DASH}{percent(m.interval.hi)}, 95% interval"
    return f"{number(m.interval.lo)} to {number(m.interval.hi)}, 95% interval"


def _baseline(m: Measurement) -> str:
    if not m.baselines:
        return "none"
    first = m.baselines[0]
    value = percent(first.value) if m.unit == "rate" else number(first.value)
    return f"{value} for {first.what}"
