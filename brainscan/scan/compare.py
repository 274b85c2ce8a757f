"""Two scans side by side: what is lower, higher, within noise, or cannot be told. No torch here."""

from __future__ import annotations

from typing import Literal

from brainscan.core.evidence import Finite, Interval, Measurement, Record
from brainscan.core.statistics import difference_interval
from brainscan.scan.record import Scan

SMALLEST_EFFECT = {"rate": 0.05}
"""Differences below this are within noise, by unit; SMALLEST_OTHER for any other unit."""

SMALLEST_OTHER = 0.1

Word = Literal["lower", "higher", "within-noise", "cannot-tell"]


class ComparedRow(Record):
    """One measurement, before and after."""

    name: str
    before: Measurement
    after: Measurement
    difference: Finite
    """after - before, in the measurement's unit."""
    interval: Interval | None
    """Interval of the difference; None when either side has none."""
    word: Word
    why: str
    """Why the word is within-noise or cannot-tell; empty otherwise."""

    @property
    def toward(self) -> Literal["better", "worse", "neither"]:
        """Whether the change goes the way that the measurement calls better or worse."""
        if self.word not in ("lower", "higher") or self.after.higher_is == "neither":
            return "neither"
        return "better" if (self.word == "higher") == (self.after.higher_is == "better") else "worse"


class Comparison(Record):
    """All measurements that two scans share, and the names of those that only one has."""

    before_id: str
    after_id: str
    same_texts: bool
    """True when every shared measurement was taken in the same way: same texts, settings and version of its
    instrument. The word of one that was not is cannot-tell."""
    same_tokenizer: bool
    rows: tuple[ComparedRow, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]


def compare_scans(before: Scan, after: Scan) -> Comparison:
    """Compare two scans measurement by measurement, in the order of the second."""
    old, new = before.measurements(), after.measurements()
    shared = [name for name in new if name in old]
    alike = _alike(before, after)
    return Comparison(
        before_id=before.id,
        after_id=after.id,
        same_texts=alike.issuperset(shared),
        same_tokenizer=before.subject.tokenizer_sha256 == after.subject.tokenizer_sha256,
        rows=tuple(_row(old[name], new[name], name in alike) for name in shared),
        only_before=tuple(name for name in old if name not in new),
        only_after=tuple(name for name in new if name not in old),
    )


def _alike(before: Scan, after: Scan) -> set[str]:
    """Names of the later scan's measurements whose instrument ran in the same way in both."""
    old, new = ({step.instrument: step for step in scan.plan.steps} for scan in (before, after))
    same_texts = before.plan.texts_sha256 == after.plan.texts_sha256

    def same(name: str) -> bool:
        if name not in old or name not in new:
            return same_texts
        # A step that has no texts of its own (pictures) is told by the plan's.
        return old[name].part == new[name].part and (same_texts or bool(new[name].texts_sha256))

    return {m.name for result in after.steps if same(result.instrument) for m in result.measurements}


def _row(before: Measurement, after: Measurement, same_texts: bool) -> ComparedRow:
    difference = after.value - before.value
    interval = _difference_interval(before, after)
    why = _doubt(before, after, interval, same_texts)
    word: Word = "lower" if difference < 0 else "higher"
    if why:
        word = "cannot-tell"
    elif why := _noise(before, difference, interval):
        word = "within-noise"
    return ComparedRow(
        name=after.name, before=before, after=after, difference=difference, interval=interval, word=word, why=why
    )


def _doubt(before: Measurement, after: Measurement, interval: Interval | None, same_texts: bool) -> str:
    """Why the two numbers cannot be compared; empty when they can."""
    if not same_texts:
        return "The two scans took it in different ways: other texts, settings or another version of the instrument."
    if before.unit != after.unit:
        return f"The units differ: {before.unit} and {after.unit}."
    if interval is None and (before.n or after.n):
        return "One side has no interval."
    return ""


def _noise(before: Measurement, difference: float, interval: Interval | None) -> str:
    """Why the difference is within noise; empty when it is not."""
    smallest = SMALLEST_EFFECT.get(before.unit, SMALLEST_OTHER)
    if abs(difference) < smallest:
        return f"The difference is below the smallest effect of interest, {smallest:g}."
    if interval is not None and interval.lo <= 0 <= interval.hi:
        return "The interval of the difference holds zero."
    return ""


def _difference_interval(before: Measurement, after: Measurement) -> Interval | None:
    if before.interval is None or after.interval is None:
        return None
    return difference_interval(before.value, before.interval, after.value, after.interval)
