"""The routed encoder: exact values, few misses on data like a language model's, and refusals."""

from __future__ import annotations

import pytest
import torch

from brainscan.core.errors import UsageError
from brainscan.dictionary.dictionary import Codes, Dictionary
from brainscan.dictionary.kinds import KINDS
from brainscan.dictionary.pool import Pool
from brainscan.dictionary.protocol import Shape, Task
from brainscan.dictionary.routed import RoutedLearner, recall
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.sparse import SparseLearner
from brainscan.dictionary.synthetic import FeatureWorld, World

D, FEATURES, K = 64, 1024, 8
SLOPED = World(n_features=400, d=D, rate=0.2, decay=0.6, slope=1.0)


def learners(world: World, sketch: int, steps: int) -> tuple[SparseLearner, RoutedLearner]:
    truth, shape = FeatureWorld(world), Shape(("a",), ("a",), D, D)
    plain = Settings(kind="topk", n_features=FEATURES, k=K)
    tasks = [Task(KINDS.get("topk")(), shape, s, 10**9) for s in (plain, plain.model_copy(update={"sketch": sketch}))]
    y = truth.draw(512, 0).x
    made = SparseLearner(tasks[0], y, Pool(1)), RoutedLearner(tasks[1], y, Pool(1))
    for i in range(steps):
        x = truth.draw(512, i).x
        for learner in made:
            learner.step(x, x, 2e-3)
    return made


def codes_of(learner: SparseLearner, x: torch.Tensor) -> Codes:
    learner.step(x, x, 0.0)
    assert learner._work is not None
    found = learner._work.codes
    return Codes(torch.from_numpy(found.feature).long(), torch.from_numpy(found.value.copy()), FEATURES)


def test_what_is_found_has_its_exact_value_and_little_is_missed() -> None:
    _, routed = learners(SLOPED, 16, 60)
    x = FeatureWorld(SLOPED).draw(512, 999).x
    made = routed.dictionary()
    assert isinstance(made, Dictionary)
    exact = made.encode_sparse(x)
    found = codes_of(routed, x)
    assert recall(exact, found) > 0.95
    pre = made.pre_activations(x)
    used = found.values > 0
    assert torch.allclose(found.values[used], pre.gather(1, found.indices)[used], atol=1e-3)


def test_the_route_costs_little_reconstruction_on_sloped_data() -> None:
    exact, routed = learners(SLOPED, 16, 60)
    x = FeatureWorld(SLOPED).draw(512, 999).x
    spread = float((x - x.mean(0)).square().sum())
    errors = [learner.step(x, x, 0.0).squared_error / spread for learner in (exact, routed)]
    assert errors[1] - errors[0] < 0.05


def test_a_longer_sketch_misses_less() -> None:
    x = FeatureWorld(SLOPED).draw(512, 999).x
    found = []
    for sketch in (4, 32):
        _, routed = learners(SLOPED, sketch, 12)
        made = routed.dictionary()
        assert isinstance(made, Dictionary)
        found.append(recall(made.encode_sparse(x), codes_of(routed, x)))
    assert found[0] < found[1]


def test_recall_counts_value_not_features() -> None:
    exact = Codes(torch.tensor([[0, 1]]), torch.tensor([[3.0, 1.0]]), 4)
    routed = Codes(torch.tensor([[0, 2]]), torch.tensor([[3.0, 0.5]]), 4)
    assert recall(exact, routed) == pytest.approx(0.75)
    assert recall(exact, exact) == 1.0


def test_a_sketch_as_wide_as_the_input_is_refused() -> None:
    task = Task(KINDS.get("topk")(), Shape(("a",), ("a",), D, D), Settings(kind="topk", n_features=64, sketch=D), 10)
    with pytest.raises(UsageError, match="saves nothing"):
        RoutedLearner(task, torch.randn(10, D), Pool(1))
