"""Toy models do what the paper reports: a phase change, a pentagon, and no superposition when features are dense."""

from __future__ import annotations

import torch

from brainscan.dictionary.superposition import ToyModels, ToySettings, phase_change, sparsity_sweep, train_toys


def test_dense_features_are_not_superposed_and_rare_ones_are() -> None:
    toys = sparsity_sweep([1.0, 0.03], ToySettings(n_features=10, n_hidden=3, steps=1500))
    stored = (toys.norms > 0.5).sum(1)
    assert stored.tolist()[0] == 3
    assert stored.tolist()[1] > 5
    assert float(toys.interference[0][toys.norms[0] > 0.5].max()) < 0.25
    per_feature = toys.dimensions_per_feature
    assert abs(float(per_feature[0]) - 1) < 0.05
    assert float(per_feature[1]) < 0.6


def test_five_rare_features_in_two_dimensions_make_a_pentagon() -> None:
    """Each has 2/5 of a dimension ("The geometry of superposition")."""
    toys = train_toys(torch.tensor([0.05]), torch.ones(1, 5), ToySettings(n_features=5, n_hidden=2, steps=1500))
    assert torch.allclose(toys.dimensionality, torch.full((1, 5), 0.4), atol=0.03)
    angles = torch.atan2(toys.W[0, 1], toys.W[0, 0]).sort().values
    assert torch.allclose(angles.diff(), torch.full((4,), 2 * torch.pi / 5), atol=0.1)


def test_the_phase_change() -> None:
    """Dense: the more important feature takes the dimension. Sparse: both share it."""
    diagram = phase_change([1.0, 0.02], [0.1, 10.0], ToySettings(steps=1000))
    assert diagram.outcome == (("absent", "shared"), ("alone", "shared"))


def test_measures_of_known_models() -> None:
    antipodal = torch.tensor([[[1.0, -1.0, 0.0]]])  # two features share one dimension, the third is absent
    toys = ToyModels(antipodal, torch.zeros(1, 3), torch.zeros(1))
    assert toys.norms.tolist() == [[1, 1, 0]]
    assert toys.interference.tolist() == [[1, 1, 0]]
    assert toys.dimensionality.tolist() == [[0.5, 0.5, 0]]
    assert toys.dimensions_per_feature.tolist() == [0.5]


def test_equal_seeds_train_equal_toys() -> None:
    a, b = (sparsity_sweep([0.1], ToySettings(n_features=6, n_hidden=2, steps=50)) for _ in range(2))
    assert torch.equal(a.W, b.W)
