"""The statistics behind every number: intervals, permutation and conformal p-values, AUROC.

numpy and scipy only. docs/statistics.md explains each in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from brainscan.core.evidence import Interval

Floats = NDArray[np.float64]

_ONE = 9.68
"""Sizes of a single value that its 95 % interval reaches to either side."""


def rate_interval(hits: float, n: float, level: float = 0.95) -> Interval:
    """Exact (Clopper-Pearson, 1934) interval for a rate of ``hits`` in ``n`` independent trials; [0, 1] for n = 0.

    Fractions are allowed, for items that are worth fewer than they are: see ``cluster_rate_interval``.
    """
    if n == 0:
        return Interval(lo=0.0, hi=1.0, method="no items", level=level)
    tail = (1 - level) / 2
    lo = 0.0 if hits == 0 else float(special.betaincinv(hits, n - hits + 1, tail))
    hi = 1.0 if hits == n else float(special.betaincinv(hits + 1, n - hits, 1 - tail))
    return Interval(lo=lo, hi=hi, method="Clopper-Pearson", level=level)


def cluster_rate_interval(scores: Sequence[float], clusters: Sequence[Any]) -> Interval:
    """95 % interval for a rate over items that share templates: Clopper-Pearson over as many items as they are worth.

    Items of one template tend to go the same way, so n of them say less than n independent ones. They are worth n over the
    design effect (Kish 1965; Rao and Scott 1992, Biometrics 48:577), and less again where few templates tell what that effect
    is (Korn and Graubard 1998, Survey Methodology 24:193), but never more than n.

    Args:
        scores: 0 or 1 an item; items that count half (0.5) widen the interval to both sides.
        clusters: template of each item.
    """
    data, units = np.asarray(scores, dtype=float), _units(len(scores), clusters)
    n, k = data.size, int(units.max(initial=-1)) + 1
    if not n:
        return rate_interval(0, 0)
    worth, hits = _worth(n, k, _design_effect(data, units)), float(data.sum())
    low, high = (rate_interval(worth * (count / n), worth) for count in (floor(hits), ceil(hits)))
    less = f" over {worth:.1f} items, which {n} in {k} {_word(k, 'template')} are worth" if worth < n else ""
    return Interval(lo=low.lo, hi=high.hi, method=f"{low.method}{less}")


def cluster_interval(
    values: ArrayLike,
    clusters: Sequence[Any] | None = None,
    statistic: Callable[[Floats], float] | None = None,
    *,
    within: tuple[float, float] | None = None,
) -> Interval:
    """95 % interval of a mean, or of a smooth ``statistic``, over items that share templates.

    Whole templates are left out in turn: the value plus and minus Student's t with K - 1 degrees of freedom times the
    jackknife standard error over K templates (Tukey 1958; Wolter 2007, chapter 4). For a mean over templates of one size that is
    the t interval of the templates' means. A bootstrap of four templates covers some 80 % where this covers 95 %; of clustered
    variances this one holds best over few clusters (MacKinnon, Nielsen and Webb 2023, Journal of Econometrics 232:272).

    Args:
        values: [item], or [item, column] for a statistic that takes rows.
        clusters: template of each item; without them each item stands for itself.
        statistic: of the rows that are left; without it their mean.
        within: smallest and largest value that an item can have, where items are counted (0 and 1, or -1, 0 and 1). The
            interval then stays inside, and is never narrower than a count allows in which nothing differs: a share of the
            items up to the Clopper-Pearson bound of 0 in n may be of another kind, so that equal items do not look certain.
    """
    data = np.asarray(values, dtype=float)
    units = _units(data.shape[0], clusters)
    n, k = data.shape[0], int(units.max()) + 1
    value, left = _left_out(data, units, k, statistic)
    unit = "item" if k == n else "template"
    if k == 1:
        return _of_one(value, within, unit)
    half = _t(k - 1) * float(np.sqrt((k - 1) / k * np.square(left - value).sum()))
    lo, hi, method = value - half, value + half, f"jackknife t over {k} {_word(k, unit)}"
    if within:
        unseen = rate_interval(0, _worth(n, k)).hi
        lo = max(within[0], min(lo, value - unseen * (value - within[0])))
        hi = min(within[1], max(hi, value + unseen * (within[1] - value)))
        method += f", no narrower than 0 in {n} allows"
    return Interval(lo=lo, hi=hi, method=method)


def difference_interval(before: float, old: Interval, after: float, new: Interval) -> Interval:
    """Of after minus before from their own intervals, taken as independent (MOVER; Zou and Donner 2008).

    Wider than a paired interval where both read the same items, so a difference that survives it is one.
    """
    down = float(np.hypot(after - new.lo, old.hi - before))
    up = float(np.hypot(new.hi - after, before - old.lo))
    difference = after - before
    return Interval(lo=difference - down, hi=difference + up, method="MOVER", level=min(old.level, new.level))


def rate_difference_interval(hits: int, n: int, control_hits: int, control_n: int) -> Interval:
    """95 % interval of a rate less another rate, -1 to 1: above 0 it is higher than the control's; [-1, 1] without items.

    It does not collapse where both rates are 0 (0 of 12 against 0 of 12 leaves 24 points possible), as the textbook's does.
    Source: Newcombe 1998, Statistics in Medicine 17:873, method 10 (the two Wilson intervals, joined as in MOVER).
    """
    if not n or not control_n:
        return Interval(lo=-1.0, hi=1.0, method="no items")
    joined = difference_interval(control_hits / control_n, _wilson(control_hits, control_n), hits / n, _wilson(hits, n))
    return joined.model_copy(update={"method": "Newcombe, method 10"})


def of_the_chosen(interval: Interval) -> Interval:
    """The interval of what was picked by the same data, which it does not know: its method says so."""
    return interval.model_copy(update={"method": f"{interval.method}, of the chosen one, not corrected for the choice"})


def conformal_p(score: float, controls: ArrayLike) -> float:
    """P-value of a score against m exchangeable clean controls: (1 + #{controls >= score}) / (m + 1).

    Smallest possible value is 1 / (m + 1), so 19 controls buy 0.05 (Vovk et al. 2005; Bates et al. 2023).
    """
    clean = np.asarray(controls, dtype=float)
    return float((1 + np.sum(clean >= score)) / (clean.size + 1))


def permutation_p(observed: float, null: ArrayLike) -> float:
    """One-sided p-value of an observed statistic against draws from its null; never 0."""
    return conformal_p(observed, null)


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Probability that a positive scores above a negative, ties counted half: 0.5 is chance, 1 perfect."""
    pos, neg = np.asarray(positive, dtype=float), np.asarray(negative, dtype=float)
    if pos.size == 0 or neg.size == 0:
        return float("nan")
    ordered = np.sort(neg)
    below = np.searchsorted(ordered, pos, side="left") + np.searchsorted(ordered, pos, side="right")
    return float(below.sum() / (2 * pos.size * neg.size))


def auroc_interval(area: float, positives: int, negatives: int, level: float = 0.95) -> Interval:
    """Score interval for an AUROC (Newcombe 2006, Statistics in Medicine 25:559, method 5); [0, 1] without items.

    It stays wide for few items and does not collapse at an AUROC of 0 or 1, as a bootstrap does.
    """
    if not positives or not negatives:
        return Interval(lo=0.0, hi=1.0, method="no items", level=level)
    z = float(special.ndtri(0.5 + level / 2))
    more = (positives + negatives) / 2 - 1
    truth = np.linspace(0.0, 1.0, 20_001)
    spread = truth * (1 - truth) * (1 + more * ((1 - truth) / (2 - truth) + truth / (1 + truth)))
    inside = truth[np.abs(truth - area) <= z * np.sqrt(spread / (positives * negatives)) + 1e-12]
    return Interval(lo=float(inside.min()), hi=float(inside.max()), method="Newcombe, method 5", level=level)


def fisher_greater(hits: int, n: int, control_hits: int, control_n: int) -> float:
    """One-sided Fisher exact p that the first rate exceeds the second."""
    from scipy import stats  # half a second to import, and most verbs never need it

    return float(stats.hypergeom.sf(hits - 1, n + control_n, hits + control_hits, n))


def rate_p(hits: int, n: int, rate: float) -> float:
    """Exact one-sided binomial p-value of at least ``hits`` in ``n`` trials if the true rate were ``rate``."""
    return 1.0 if hits <= 0 else float(special.bdtrc(hits - 1, n, rate))


def paired_sign_p(wins: int, losses: int) -> float:
    """One-sided exact sign test that wins outnumber losses (ties left out)."""
    if wins + losses == 0:
        return 1.0
    return rate_p(wins, wins + losses, 0.5)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm-adjusted p-values in the order given (Holm 1979)."""
    order = np.argsort(p_values)
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[int(index)]))
        adjusted[int(index)] = running
    return adjusted


def _units(n: int, clusters: Sequence[Any] | None) -> NDArray[np.intp]:
    """[item] number of its cluster, counted from 0."""
    if clusters is None:
        return np.arange(n)
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters], dtype=np.intp)


def _left_out(
    data: Floats, units: NDArray[np.intp], k: int, statistic: Callable[[Floats], float] | None
) -> tuple[float, Floats]:
    """The value, and [cluster] the value without each cluster."""
    if statistic is not None:
        return statistic(data), np.array([statistic(data[units != i]) for i in range(k)] if k > 1 else [])
    total, size = data.sum(), data.size
    totals, sizes = np.bincount(units, data), np.bincount(units)
    return float(total / size), (total - totals) / np.maximum(size - sizes, 1)


def _of_one(value: float, within: tuple[float, float] | None, unit: str) -> Interval:
    """One item or template shows no spread: anything is possible, or ten times the value to either side.

    That covers the mean of a normal distribution at least 95 times in 100 whatever its spread (Wall, Boen and Tweedie 2001,
    The American Statistician 55:102).
    """
    lo, hi = within or (value - _ONE * abs(value), value + _ONE * abs(value))
    return Interval(lo=lo, hi=hi, method=f"one {unit}" if within else f"one {unit} (Wall, Boen and Tweedie)")


def _design_effect(data: Floats, units: NDArray[np.intp]) -> float:
    """Variance of the mean over clusters, over what it were for independent items; 1 where items do not differ."""
    k = int(units.max()) + 1
    alone = data.var(ddof=1) / data.size if data.size > 1 else 0.0
    if k < 2 or not alone:
        return 1.0
    mean, left = _left_out(data, units, k, None)
    return float((k - 1) / k * np.square(left - mean).sum() / alone)


def _worth(n: int, k: int, effect: float = 1.0) -> float:
    """Independent items that n items in k clusters are worth; one cluster is worth one item."""
    if k < 2:
        return 1.0
    return float(min(n, n * (_t(n - 1) / _t(k - 1)) ** 2 / max(effect, 1e-9)))


def _wilson(hits: int, n: int) -> Interval:
    z, rate = float(special.ndtri(0.975)), hits / n
    more = z * z / n
    middle = (rate + more / 2) / (1 + more)
    half = z * float(np.sqrt(rate * (1 - rate) / n + more / (4 * n))) / (1 + more)
    return Interval(lo=middle - half, hi=middle + half, method="Wilson")


def _t(degrees: int) -> float:
    return float(special.stdtrit(degrees, 0.975))


def _word(count: int, unit: str) -> str:
    return unit if count == 1 else f"{unit}s"
