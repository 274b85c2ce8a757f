"""The direction on planted arrays: a signal is found where it is, and nothing is found where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.statistics import auroc
from brainscan.scan.refusal.direction import Twins, aurocs, balanced_signs, choose_layer, separate

LAYERS, WIDTH, EACH = 10, 24, 8
NAMES = ("a", "b", "c", "d")


def twins(strength: float, layer: int, seed: int, names: tuple[str, ...] = NAMES) -> Twins:
    rng = np.random.default_rng(seed)
    shape = (EACH * len(names), LAYERS, WIDTH)
    harmful, harmless = rng.standard_normal(shape), rng.standard_normal(shape)
    harmful[:, layer, 0] += strength
    return Twins(harmful, harmless, names * EACH)


def test_a_planted_signal_is_found_at_its_layer_in_categories_never_seen() -> None:
    found = separate(twins(5.0, 4, 0), twins(5.0, 4, 1, ("e", "f")), shuffles=100, rng=np.random.default_rng(0))
    assert found.layer == 4
    assert found.by_layer[4] > 0.95
    assert found.p_value() == pytest.approx(1 / 101)
    assert abs(found.direction[0]) == np.abs(found.direction).max()


def test_without_a_signal_the_auroc_lies_within_the_shuffles() -> None:
    inside = []
    for seed in range(10):
        found = separate(twins(0.0, 4, seed), twins(0.0, 4, 99 + seed), shuffles=100, rng=np.random.default_rng(seed))
        inside.append(found.p_value() > 0.05)
    assert sum(inside) >= 8


def test_late_layers_are_not_chosen() -> None:
    assert choose_layer(twins(5.0, LAYERS - 1, 0)) < 0.8 * LAYERS


def test_aurocs_equal_the_plain_definition() -> None:
    some = twins(1.0, 2, 3)
    direction = some.directions()
    expected = auroc(some.harmful[:, 2] @ direction[0, 2], some.harmless[:, 2] @ direction[0, 2])
    assert aurocs(direction, some)[0, 2] == pytest.approx(expected)


def test_null_directions_have_the_norm_of_the_direction() -> None:
    found = separate(twins(2.0, 4, 0), twins(2.0, 4, 1), shuffles=5, rng=np.random.default_rng(0))
    assert np.linalg.norm(found.null_directions, axis=1) == pytest.approx([np.linalg.norm(found.direction)] * 5)


@given(st.integers(2, 40), st.integers(1, 20), st.integers(0, 99))
def test_signs_are_balanced(pairs: int, draws: int, seed: int) -> None:
    signs = balanced_signs(pairs, draws, np.random.default_rng(seed))
    assert signs.shape == (draws, pairs)
    assert (np.abs(signs) == 1).all()
    assert (signs.sum(1) == pairs % 2).all()
