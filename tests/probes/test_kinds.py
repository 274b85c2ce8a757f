"""What each kind of probe computes, against arithmetic done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.core.errors import UsageError
from brainscan.core.statistics import auroc
from brainscan.probes.ensemble import LayerEnsemble
from brainscan.probes.logistic import Logistic
from brainscan.probes.mahalanobis import Mahalanobis
from brainscan.probes.mean_difference import MeanDifference


def material(seed: int, n: int = 40, d: int = 16, shift: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2 == 0
    x = rng.normal(size=(n, d))
    x[:, 0] += shift * y
    return x, y


def test_mean_difference_is_the_difference_of_standardised_means() -> None:
    x, y = material(0)
    probe = MeanDifference().fit(x, y)
    z = (x - x.mean(0)) / x.std(0)
    assert np.allclose(probe.direction_, z[y].mean(0) - z[~y].mean(0))
    scores = probe.score(x)
    assert np.isclose(scores[y].mean(), -scores[~y].mean())
    assert np.isclose(scores.std(), 1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-50, 50))
def test_mean_difference_does_not_care_for_units(seed: int, scale: float, offset: float) -> None:
    x, y = material(seed)
    moved = x * scale + offset
    assert np.allclose(MeanDifference().fit(x, y).score(x), MeanDifference().fit(moved, y).score(moved), atol=1e-6)


def test_a_dimension_with_massive_activations_is_not_the_whole_direction() -> None:
    x, y = material(1, n=200)
    x[:, 5] = 1e4 * np.random.default_rng(5).normal(size=200)
    probe = MeanDifference().fit(x, y)
    assert abs(probe.direction_).argmax() == 0


def test_constant_dimensions_are_no_trouble() -> None:
    x, y = material(2)
    x[:, 3] = 7.0
    for probe in (MeanDifference(), Logistic(), Mahalanobis()):
        assert np.isfinite(probe.fit(x, y).score(x)).all()


def test_stronger_regularisation_shrinks_the_logistic_direction() -> None:
    x, y = material(3)
    weak, strong = Logistic(c=1.0).fit(x, y), Logistic(c=0.001).fit(x, y)
    assert np.linalg.norm(strong.direction_) < np.linalg.norm(weak.direction_)


def test_mahalanobis_needs_no_direction_in_which_clean_rows_vary() -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.normal(size=(30, 64)), rng.normal(size=(10, 64)) + 1.5])
    y = np.arange(40) >= 30
    scores = Mahalanobis().fit(x, y).score(x)
    assert auroc(scores[y], scores[~y]) > 0.95
    centre = Mahalanobis().fit(x, y)
    assert centre.score(centre.mean_[None])[0] == pytest.approx(0.0)


def test_the_ensemble_is_the_mean_of_its_layers() -> None:
    x, y = material(5)
    stacked = np.stack([x, x[:, ::-1], -x], 1)
    ensemble = LayerEnsemble(MeanDifference).fit(stacked, y)
    alone = [MeanDifference().fit(stacked[:, i], y).score(stacked[:, i]) for i in range(3)]
    assert np.allclose(ensemble.score(stacked), np.mean(alone, 0))
    assert ensemble.by_layer(stacked).shape == (40, 3)


def test_the_ensemble_refuses_other_layers() -> None:
    x, y = material(6)
    ensemble = LayerEnsemble(MeanDifference).fit(x[:, None].repeat(2, 1), y)
    for wrong in (x[:, None], x):
        with pytest.raises(UsageError):
            ensemble.score(wrong)
    with pytest.raises(UsageError):
        LayerEnsemble(MeanDifference).score(x[:, None])
