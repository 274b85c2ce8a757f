"""Sparse probing beside its baselines."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.core.errors import UsageError
from brainscan.dictionary.sparse_probing import ProbeData, best_features, sparse_probe


def data(planted: int = 2, n: int = 200) -> ProbeData:
    rng = np.random.default_rng(0)
    y = rng.random(n) < 0.5
    x = rng.normal(size=(n, 6))
    x[:, 0] += 4 * y
    codes = np.maximum(rng.normal(size=(n, 20)), 0)
    codes[:, planted] += 3 * y
    return ProbeData(x, codes, y, np.arange(n) < n // 2)


def test_the_feature_that_holds_the_concept_is_chosen() -> None:
    assert best_features(data(planted=7), 1).tolist() == [7]


def test_few_features_reach_what_the_full_probe_reaches() -> None:
    one, two, five = sparse_probe(data())
    assert one.value > 0.85
    assert [m.name.rsplit("_")[-1] for m in (one, two, five)] == ["1", "2", "5"]
    assert {b.what for b in one.baselines} == {"full probe on activations", "mean difference"}
    assert all(b.value > 0.9 for b in one.baselines)
    assert one.n == 100 and one.interval is not None


def test_a_dictionary_without_the_concept_stands_at_chance() -> None:
    given = data()
    empty = ProbeData(given.x, np.random.default_rng(1).random((200, 20)), given.y, given.train)
    assert sparse_probe(empty, (1,))[0].value < 0.7


def test_a_missing_class_is_refused() -> None:
    given = data()
    with pytest.raises(UsageError, match="both classes"):
        sparse_probe(ProbeData(given.x, given.codes, given.y & given.train, given.train))
