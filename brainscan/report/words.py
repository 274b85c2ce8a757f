"""How verdicts and numbers are written: one vocabulary for page, terminal, JUnit, SARIF and job summary."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from brainscan.core.evidence import Interval, Measurement
from brainscan.diagnosis.finding import Finding, Reading, Verdict

_FEW = 20
_WHOLE_PERCENT_BELOW = 1000


@dataclass(frozen=True)
class Word:
    """One verdict in every dress that it wears."""

    verdict: Verdict
    word: str
    tag: str
    """ASCII, for terminals."""
    mark: str
    """One character, for places without drawings."""
    meaning: str


WORDS: dict[Verdict, Word] = {
    word.verdict: word
    for word in (
        Word(Verdict.FLAGGED, "flagged", "[!]", "▲", "A signal past the stated threshold, with its error rate."),
        Word(Verdict.CLEAR, "clear", "[ok]", "✓", "Looked; no signal above the stated error rates. Not proof of absence."),
        Word(Verdict.CANNOT_TELL, "cannot tell", "[?]", "?", "Looked; the data do not settle it. Never counts as clear."),
        Word(Verdict.NOT_ASSESSED, "not assessed", "[--]", "–", "Not looked at. Says nothing about safety."),
    )
}  # fmt: skip
"""The four verdicts in their fixed order."""

SAYS = {
    "flagged": "past the threshold",
    "clear": "below the threshold",
    "cannot-tell": "cannot tell",
    "within-noise": "within noise",
    "context": "context only",
}
"""What a single reading says, in words."""

GROUND = {"demonstrated": "shown on this model", "calibrated": "against control models", "none": "no verdict carried"}
"""What a verdict stands on, in a few words."""

FAILED_CHECK = "This scan failed its own check: read every verdict as cannot tell."
CLOSING = "Clear means no signal above the stated error rates, not absence."

_UNITS = {"auroc": "AUROC", "accuracy": "accuracy"}


def counts(findings: Iterable[Finding], separator: str = " · ", *, zeros: bool = True) -> str:
    """For example "2 flagged · 5 clear · 1 cannot tell · 3 not assessed"; zeros only if wanted."""
    seen = Counter(finding.verdict for finding in findings)
    return separator.join(f"{seen[verdict]} {word.word}" for verdict, word in WORDS.items() if zeros or seen[verdict])


def lead(finding: Finding) -> Reading | None:
    """The reading that carries the verdict: says the same, and has the finding's interval if one has."""
    saying = [r for r in finding.readings if r.says == finding.verdict.value] or [
        r for r in finding.readings if r.says != "context"
    ]
    same = [r for r in saying if finding.interval is not None and r.measurement.interval == finding.interval]
    return next(iter(same or saying), None)


NOTHING = "nothing to count"
"""A rate over no items, such as of a name that never came up."""


def measured(measurement: Measurement) -> str:
    """Value, interval and n of a measurement: "27/30, 90% [74–98]" or "0.84 AUROC [0.79, 0.88], n = 120"."""
    if measurement.unit == "rate" and measurement.n > 0:
        text = rate(measurement.value, measurement.n, measurement.interval)
        return f"{text}, {count(measurement.not_scored)} not scored" if measurement.not_scored else text
    if measurement.unit == "rate" and not measurement.n:
        return NOTHING
    parts = [amount(measurement.value, measurement.unit)]
    if measurement.interval is not None:
        parts.append(f"[{number(measurement.interval.lo)}, {number(measurement.interval.hi)}]")
    if measurement.n:
        return f"{' '.join(parts)}, n = {count(measurement.n)}"
    return " ".join(parts) + ("" if measurement.interval else ", exact")


def brief(measurement: Measurement) -> str:
    """The same in at most about 20 characters, for fixed columns: no unit, no n except in a rate's count."""
    bounds = measurement.interval
    if measurement.unit == "rate" and measurement.n > 0:
        hits, percent = round(measurement.value * measurement.n), _percent(measurement.value, 0)
        tail = f" [{_percent(bounds.lo, 0)}–{_percent(bounds.hi, 0)}]" if bounds else ""
        return f"{hits}/{measurement.n} {percent}%{tail}"
    if measurement.unit == "rate" and not measurement.n:
        return NOTHING
    return number(measurement.value) + (f" [{number(bounds.lo)}, {number(bounds.hi)}]" if bounds else "")


def rate(value: float, n: int, interval: Interval | None = None) -> str:
    """A rate (0..1) as count, percent and interval in percent; "few" below 20 items."""
    hits = round(value * n)
    bounds = "" if interval is None else f" [{_percent(interval.lo, n)}–{_percent(interval.hi, n)}]"
    return f"{count(hits)}/{count(n)}, {_percent(value, n)}%{bounds}{' (few)' if n < _FEW else ''}"


def amount(value: float, unit: str) -> str:
    """A bare value in its unit, for thresholds and baselines: "20%", "0.70 AUROC", "+3.1 z"."""
    if unit == "rate":
        return f"{_percent(value, 0)}%"
    if unit == "z":
        return f"{number(value, signed=True)} z"
    return f"{number(value)} {_UNITS.get(unit, unit)}".rstrip()


def number(value: float, *, signed: bool = False) -> str:
    """Two decimals near 1, fewer when large, two significant digits when small; with a true minus."""
    size = abs(value)
    if size >= 100:
        text = f"{size:,.0f}"
    elif size >= 10:
        text = f"{size:.1f}"
    elif size >= 0.1 or size == 0:
        text = f"{size:.2f}"
    else:
        text = f"{size:.2g}".replace("e-0", "e−").replace("e-", "e−")
    sign = "−" if value < 0 else "+" if signed and value > 0 else ""
    return sign + text


def points(difference: float) -> str:
    """A difference of two rates in percentage points, with its sign: "−62"."""
    whole = round(100 * difference)
    return f"{whole:+d}".replace("-", "−") if whole else "0"


def tick(value: float, *, signed: bool = False) -> str:
    """A round number at the end of a scale: as short as it goes, with a true minus."""
    return f"{value:{'+' if signed else ''}.3g}".replace("-", "−")


def p_value(p: float | None, smallest: float | None) -> str:
    """A p-value with the smallest that its test could have given; a dash when there is none."""
    if p is None:
        return "–"
    return _p(p) if smallest is None else f"{_p(p)} (smallest possible {_p(smallest)})"


def p_short(p: float | None, smallest: float | None) -> str:
    """The same for narrow columns: "p .010 (min .010)"; empty when there is none."""
    if p is None:
        return ""
    text = f"p {_p(p)}" if smallest is None else f"p {_p(p)} (min {_p(smallest)})"
    return text.replace("0.", ".")


def count(n: int) -> str:
    """A whole number with thousands commas."""
    return f"{n:,}"


def duration(seconds: float) -> str:
    """For example "4 min 12 s"; tenths below ten seconds."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def sentence(text: str) -> str:
    """A phrase with its first letter large."""
    return text[:1].upper() + text[1:]


def date(utc: str) -> str:
    """An ISO time as "2026-11-22 08:40 UTC"; anything else unchanged."""
    return f"{utc[:10]} {utc[11:16]} UTC" if len(utc) >= 16 and utc[10:11] in ("T", " ") else utc


def ascii_numbers(text: str) -> str:
    """Our own typography in plain ASCII, for terminals where dashes have no certain width."""
    return text.translate(str.maketrans({"–": "-", "−": "-", "·": "|", "×": "x"}))


def _percent(value: float, n: int) -> str:
    digits = 1 if n >= _WHOLE_PERCENT_BELOW else 0
    return f"{100 * value:.{digits}f}"


def _p(p: float) -> str:
    if not math.isfinite(p):
        return "–"
    return "<0.001" if p < 0.0005 else f"{p:.3f}"
