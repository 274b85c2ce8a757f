"""k-sparse probing: does a concept live in a few features? Beside two baselines that need no dictionary.

Source: Gurnee et al. (arXiv 2305.01610); SAEBench's sparse probing: features chosen by the difference of
class means, a logistic probe on them, accuracy on held-out rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from brainscan.core.errors import UsageError
from brainscan.core.evidence import Baseline, Measurement
from brainscan.core.statistics import rate_interval

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ProbeData:
    """One concept: rows with and without it, split into training and held-out rows."""

    x: Floats  # [n, d] activations
    codes: Floats  # [n, F] dictionary codes of the same rows
    y: Bools  # [n]
    train: Bools  # [n] True for training rows


def sparse_probe(data: ProbeData, ks: Sequence[int] = (1, 2, 5)) -> tuple[Measurement, ...]:
    """Held-out accuracy of probes on the best k features, with a full probe and a mean difference on ``x`` beside it.

    Raises:
        UsageError: training or held-out rows lack a class.
    """
    for part in (data.train, ~data.train):
        if len(np.unique(data.y[part])) < 2:
            raise UsageError("A probe needs both classes in training and in held-out rows.", "Give more rows of both.")
    hits = {"full probe on activations": _logistic(data.x, data), "mean difference": _mean_difference(data)}
    held = int((~data.train).sum())
    baselines = tuple(
        Baseline(what=what, value=h / held, n=held, interval=rate_interval(h, held)) for what, h in hits.items()
    )
    return tuple(_measured(k, _logistic(data.codes[:, best_features(data, k)], data), held, baselines) for k in ks)


def best_features(data: ProbeData, k: int) -> NDArray[np.intp]:
    """The k features whose mean codes differ most between the classes of the training rows, most first."""
    codes, y = data.codes[data.train], data.y[data.train]
    apart = np.abs(codes[y].mean(0) - codes[~y].mean(0))
    return np.argsort(-apart, kind="stable")[:k]


def _measured(k: int, hits: int, held: int, baselines: tuple[Baseline, ...]) -> Measurement:
    return Measurement(
        name=f"dictionary.sparse_probing.top_{k}",
        value=hits / held,
        unit="rate",
        n=held,
        higher_is="better",
        interval=rate_interval(hits, held),
        baselines=baselines,
        meaning=f"Held-out accuracy of a probe on the best {k} features: 0 to 1, the share of the larger class is chance. "
        "Compare it with the baselines: a concept that they read and the features do not is not held by few features.",
    )


def _logistic(rows: Floats, data: ProbeData) -> int:
    scaler = StandardScaler().fit(rows[data.train])
    probe = LogisticRegression(max_iter=1000).fit(scaler.transform(rows[data.train]), data.y[data.train])
    return int((probe.predict(scaler.transform(rows[~data.train])) == data.y[~data.train]).sum())


def _mean_difference(data: ProbeData) -> int:
    x, y = data.x[data.train], data.y[data.train]
    yes, no = x[y].mean(0), x[~y].mean(0)
    above = (data.x[~data.train] - (yes + no) / 2) @ (yes - no) > 0
    return int((above == data.y[~data.train]).sum())
