"""Small tasks that several tests train."""

from __future__ import annotations

from typing import Any

import torch

from brainscan.dictionary.kinds import KINDS
from brainscan.dictionary.protocol import Shape, Task
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.synthetic import FeatureWorld, World

D, FEATURES, N = 16, 96, 300

EASY = World(n_features=48, d=64, rate=0.06, offset=1.0)
"""The easy regime: fewer features than dimensions, about three active at once."""


def task(kind: str, patience: int = 10**9, **settings: Any) -> Task:
    """A task of 16 dimensions and 96 features; kinds that do not centre read one site and write another."""
    chosen = {"n_features": FEATURES, "k": 4, **settings}
    made = KINDS.get(kind)()
    writes = ("a",) if made.centre else ("b",)
    return Task(made, Shape(("a",), writes, D, D), Settings(kind=kind, **chosen), patience, 0.9, 0.8)


def batch(task: Task, i: int, n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    """Batch i of what is read and written: far from the origin and scaled, so that biases and scales matter."""
    x = FeatureWorld(World(n_features=40, d=D, rate=0.1, noise=0.1, offset=2.0)).draw(n, i).x * 3
    return x, x if task.shape.reads == task.shape.writes else torch.tanh(x) + 0.3 * x
