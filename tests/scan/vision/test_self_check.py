"""The self-check of vision models holds on sound ones and fails on one that does not compute the same thing twice."""

from __future__ import annotations

import torch
from torch import nn

from brainscan.scan.vision.self_check import self_check_vision
from brainscan.subject.vision.load import from_module
from tests.vision import PLAIN, small, tiny_lite


def test_sound_models_pass() -> None:
    for subject in (tiny_lite(), small()):
        checks = self_check_vision(subject)
        assert [check.passed for check in checks] == [True] * 4


class Mixing(nn.Module):
    """Lets images of a batch see each other."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.conv(x).mean((2, 3)).cumsum(0) * 5)


def test_a_model_that_mixes_a_batch_fails() -> None:
    failed = [check.name for check in self_check_vision(from_module(Mixing(), PLAIN)) if not check.passed]
    assert failed == ["a batch equals single images"]
