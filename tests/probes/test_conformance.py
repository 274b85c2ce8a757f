"""Built-in probes keep the promises, and the check catches probes that do not."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.core.errors import UsageError
from brainscan.probes.conformance import check_probe
from brainscan.probes.logistic import Logistic
from brainscan.probes.mahalanobis import Mahalanobis
from brainscan.probes.mean_difference import MeanDifference
from brainscan.probes.protocol import Probe


@pytest.mark.parametrize("kind", [MeanDifference, Logistic, Mahalanobis])
def test_a_built_in_probe_conforms(kind: type) -> None:
    assert check_probe(kind) == ()
    assert isinstance(kind(), Probe)


class Inverted(MeanDifference):
    def score(self, x: object) -> np.ndarray:
        return -super().score(x)


class Vandal(MeanDifference):
    def fit(self, x: np.ndarray, y: object) -> Vandal:
        super().fit(x, y)
        x += 1
        return self


class Careless(MeanDifference):
    def score(self, x: np.ndarray) -> np.ndarray:
        return np.nan_to_num(np.asarray(x)[:, 3])


class Crowd(MeanDifference):
    def score(self, x: object) -> np.ndarray:
        raw = super().score(x)
        return raw - raw.mean()


@pytest.mark.parametrize(
    ("kind", "word"),
    [(Inverted, "above negatives"), (Vandal, "changes the arrays"), (Careless, "accepts"), (Crowd, "beside it")],
)
def test_a_broken_probe_is_named(kind: type, word: str) -> None:
    assert any(word in sentence for sentence in check_probe(kind))


def test_a_probe_that_gives_no_scores_is_named() -> None:
    class Silent(MeanDifference):
        def score(self, x: object) -> np.ndarray:
            return super().score(x)[:, None]

    assert any("one finite number a row" in sentence for sentence in check_probe(Silent))


def test_refusals_carry_a_next_step() -> None:
    with pytest.raises(UsageError) as caught:
        MeanDifference().score(np.zeros((2, 3)))
    assert caught.value.next_step
