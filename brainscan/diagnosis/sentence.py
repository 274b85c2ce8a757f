"""Fill a criterion's sentence with its measurement's numbers."""

from __future__ import annotations

from brainscan.core.evidence import Measurement
from brainscan.diagnosis.condition import Criterion


def fill(criterion: Criterion, m: Measurement) -> str:
    """The sentence with counts, value and interval; items that could not be scored are said."""
    text = criterion.sentence.format(
        hits=round(m.value * m.n),
        n=m.n,
        value=amount(m.value, m.unit),
        interval=_interval(m),
        baseline=_baseline(m),
    )
    return f"{text} {m.not_scored} more could not be scored." if m.not_scored else text


def amount(value: float, unit: str) -> str:
    """A value as words: a rate in percent, a difference of rates in points, else two significant digits."""
    if unit == "rate":
        return f"{100 * value:.0f}%"
    if unit == "rate difference":
        return f"{_signed(round(100 * value))} points"
    return number(value)


def number(value: float) -> str:
    """Two significant decimals, true minus."""
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}") if abs(value) < 100 else f"{value:,.0f}"


def _interval(m: Measurement) -> str:
    if m.interval is None:
        return "exact"
    lo, hi = m.interval.lo, m.interval.hi
    if m.unit == "rate":
        return f"95% interval {100 * lo:.0f}\N{EN DASH}{100 * hi:.0f}%"
    if m.unit == "rate difference":
        return f"95% interval {_signed(round(100 * lo))} to {_signed(round(100 * hi))}"
    return f"95% interval {number(lo)} to {number(hi)}"


def _baseline(m: Measurement) -> str:
    return f"{amount(m.baselines[0].value, m.unit)} for {m.baselines[0].what}" if m.baselines else "no baseline"


def _signed(value: int) -> str:
    return f"{value:+d}".replace("-", "\N{MINUS SIGN}") if value else "0"
