"""The statistics behind every number: intervals, permutation and conformal p-values, AUROC.

numpy and scipy only. docs/statistics.md explains each in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from brainscan.core.evidence import Interval

Floats = NDArray[np.float64]


def rate_interval(hits: int, n: int, level: float = 0.95) -> Interval:
    """Exact (Clopper-Pearson, 1934) interval for a rate of ``hits`` in ``n`` trials; [0, 1] for n = 0."""
    if n == 0:
        return Interval(lo=0.0, hi=1.0, method="no items", level=level)
    tail = (1 - level) / 2
    lo = 0.0 if hits == 0 else float(special.betaincinv(hits, n - hits + 1, tail))
    hi = 1.0 if hits == n else float(special.betaincinv(hits + 1, n - hits, 1 - tail))
    return Interval(lo=lo, hi=hi, method="Clopper-Pearson", level=level)


def bootstrap_interval(
    values: ArrayLike,
    clusters: Sequence[Any] | None = None,
    statistic: Callable[[Floats], float] = lambda sample: float(np.mean(sample)),
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap; with ``clusters`` (templates) whole clusters are resampled together.

    Prompts of one template are not independent, so the cluster is the unit wherever there is one.
    """
    data = np.asarray(values, dtype=float)
    groups = _group(data, clusters)
    rng = np.random.default_rng(seed)
    drawn = np.empty(resamples)
    for i in range(resamples):
        pick = rng.integers(len(groups), size=len(groups))
        drawn[i] = statistic(np.concatenate([groups[j] for j in pick]))
    tail = (1 - level) / 2
    lo, hi = np.quantile(drawn, [tail, 1 - tail])
    unit = "items" if clusters is None else "templates"
    return Interval(lo=float(lo), hi=float(hi), method=f"bootstrap over {unit} ({resamples})", level=level)


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


def _group(data: Floats, clusters: Sequence[Any] | None) -> list[Floats]:
    if clusters is None:
        return [data[i : i + 1] for i in range(data.shape[0])]
    members: dict[Any, list[int]] = {}
    for i, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(i)
    return [data[rows] for rows in members.values()]
