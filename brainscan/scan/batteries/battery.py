"""The protocol of a battery, and how a row of item scores becomes measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from brainscan.core.evidence import Baseline, Interval, Measurement
from brainscan.core.statistics import cluster_interval, cluster_rate_interval
from brainscan.scan.instrument import Report, Workload

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

Sizes = Mapping[str, int | float | str | bool]
Tell = Callable[[float, str], None]
Seen = TypeVar("Seen")


class Battery(Protocol[Seen]):
    """One kind of question. Stateless; the same subject and sizes give the same report."""

    name: str
    """Prefix of its settings."""
    measures: tuple[str, ...]
    """Names of the measurements that it makes when at least one item can be scored."""

    def sizes(self, plan: str) -> dict[str, int]:
        """Settings under a plan, each key with the battery's name before it."""
        ...

    def texts(self) -> tuple[str, ...]:
        """Every text that it may use."""
        ...

    def workload(self, sizes: Sizes) -> Workload:
        """Estimated tokens for one subject."""
        ...

    def look(self, subject: LanguageSubject, sizes: Sizes, tell: Tell) -> Seen:
        """Run the subject."""
        ...

    def judge(self, seen: Seen, reference: Seen | None) -> Report:
        """Count and compare; runs no model."""
        ...


@dataclass(frozen=True)
class Series:
    """One score an item in a fixed order, None where the item could not be scored."""

    values: tuple[float | None, ...]
    clusters: tuple[str, ...]
    """Template of each item: what its interval takes as the independent unit."""

    def scored(self) -> list[float]:
        """The scores that there are."""
        return [value for value in self.values if value is not None]

    def mean(self) -> float:
        """Mean of the scores that there are."""
        return sum(self.scored()) / len(self.scored())

    def minus(self, other: Series) -> Series:
        """Difference item by item; None where either lacks a score."""
        pairs = zip(self.values, other.values, strict=True)
        return Series(tuple(None if a is None or b is None else a - b for a, b in pairs), self.clusters)

    def rate_interval(self) -> Interval:
        """Of the mean of scores from 0 to 1."""
        return cluster_rate_interval(self.scored(), self._kept())

    def difference_interval(self) -> Interval:
        """Of the mean of differences.

        An item that was not seen may differ by one answer, or by as much as the furthest one that was: the difference
        of two differences is two answers for an item that turns both ways.
        """
        most = max(1.0, *(abs(value) for value in self.scored()))
        return cluster_interval(self.scored(), self._kept(), within=(-most, most))

    def _kept(self) -> list[str]:
        """Templates of the scored items."""
        return [cluster for value, cluster in zip(self.values, self.clusters, strict=True) if value is not None]


@dataclass(frozen=True)
class Quantity:
    """What a measurement is called and means."""

    name: str
    meaning: str
    kind: Literal["rate", "rate difference"] = "rate"
    higher_is: Literal["worse", "better", "neither"] = "worse"


def measure(
    quantity: Quantity, series: Series, reference: Series | None, *, baselines: tuple[Baseline, ...] = ()
) -> tuple[Measurement, ...]:
    """The measurement of a series and, with a reference, its shift; nothing where no item could be scored.

    A rate has a Clopper-Pearson interval over as many items as they are worth; items that count half (0.5) widen it to
    both sides. A difference has a jackknife interval over templates.
    """
    scored = series.scored()
    if not scored:
        return ()
    if reference is not None and reference.scored():
        baselines = (*baselines, Baseline(what="reference", value=reference.mean(), n=len(reference.scored())))
    whole = Measurement(
        name=quantity.name,
        value=series.mean(),
        unit=quantity.kind,
        n=len(scored),
        higher_is=quantity.higher_is,
        interval=series.rate_interval() if quantity.kind == "rate" else series.difference_interval(),
        baselines=baselines,
        meaning=quantity.meaning,
        not_scored=len(series.values) - len(scored),
    )
    return (whole,) if reference is None else (whole, *_shift(quantity, series.minus(reference)))


def _shift(quantity: Quantity, paired: Series) -> tuple[Measurement, ...]:
    if not paired.scored():
        return ()
    return (
        Measurement(
            name=f"{quantity.name}.shift",
            value=paired.mean(),
            unit="rate difference",
            n=len(paired.scored()),
            higher_is=quantity.higher_is,
            interval=paired.difference_interval(),
            meaning=f"Subject minus reference on the same items; 0 is no change. {quantity.meaning}",
            not_scored=len(paired.values) - len(paired.scored()),
        ),
    )
