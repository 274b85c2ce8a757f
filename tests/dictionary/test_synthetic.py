"""Synthetic activations have the rates, the correlation and the hierarchy that they claim."""

from __future__ import annotations

import pytest
import torch

from brainscan.dictionary.synthetic import SITE, FeatureWorld, PhantomStream, World


def rates(world: World) -> tuple[torch.Tensor, torch.Tensor]:
    truth = FeatureWorld(world)
    return (truth.draw(40000, 0).codes > 0).float().mean(0), truth.expected_rates


@pytest.mark.parametrize(
    "world",
    [
        World(n_features=20, rate=0.1),
        World(n_features=20, rate=0.3, decay=1.0),
        World(n_features=20, rate=0.1, groups=4, correlation=0.5),
        World(n_features=20, rate=0.2, children=0.5),
    ],
)
def test_features_fire_as_often_as_said(world: World) -> None:
    seen, said = rates(world)
    assert torch.allclose(seen, said, atol=0.012)


def test_a_child_fires_only_with_its_parent() -> None:
    truth = FeatureWorld(World(n_features=20, rate=0.3, children=0.5))
    fires = truth.draw(2000, 1).codes > 0
    for child in range(10, 20):
        assert not bool((fires[:, child] & ~fires[:, truth.parents[child]]).any())


def test_a_group_fires_together() -> None:
    plain, grouped = (
        torch.corrcoef(
            (FeatureWorld(World(n_features=8, rate=0.2, groups=4, correlation=c)).draw(20000, 0).codes > 0).float().t()
        )
        for c in (0.0, 0.8)
    )
    assert abs(float(plain[0, 4])) < 0.03
    assert float(grouped[0, 4]) > 0.4
    assert abs(float(grouped[0, 1])) < 0.03


def test_activations_are_the_features_that_fire() -> None:
    truth = FeatureWorld(World(offset=5.0, slope=0.5))
    drawn = truth.draw(50, 3)
    assert torch.allclose(drawn.x, drawn.codes @ truth.directions + truth.offset)
    assert torch.allclose(truth.directions.norm(dim=1), torch.ones(64))
    assert float(truth.offset.norm()) == pytest.approx(5)


def test_equal_seeds_draw_equal_activations() -> None:
    truth = FeatureWorld(World(noise=0.1))
    assert torch.equal(truth.draw(5, 1).x, truth.draw(5, 1).x)
    assert not torch.equal(truth.draw(5, 1).x, truth.draw(5, 2).x)


def test_a_stream_goes_on_where_its_state_says() -> None:
    truth = FeatureWorld(World())
    whole = [batch.values[SITE] for batch in PhantomStream(truth, 4, 5)]
    part = PhantomStream(truth, 4, 5)
    next(iter(part))
    rest = [batch.values[SITE] for batch in PhantomStream(truth, 4, 5, part.state().at)]
    assert len(whole) == 5
    assert all(torch.equal(a, b) for a, b in zip(whole[1:], rest, strict=True))
