"""Exact weights, attribution through non-linear parts, removal, and the circuit of a channel that is known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from brainscan.activations.images import find_images
from brainscan.circuits.parts.build import build_circuit
from brainscan.circuits.parts.remove import remove
from brainscan.circuits.parts.through import attribute_through
from brainscan.circuits.parts.weights import kernel_of, measured_effect, virtual_weights
from brainscan.core.address import Site
from brainscan.core.errors import InputError
from brainscan.features.channels.survey import survey_channels
from brainscan.subject.vision.load import from_module
from tests.vision import PLAIN, painted, small, tiny_lite


def test_weights_are_what_an_edit_does_straight() -> None:
    subject = tiny_lite()
    target = subject.channel("blocks.4.expand/7")
    straights = virtual_weights(subject, target)
    paths = [subject.describe(straight.site) for straight in straights]
    assert paths == ["blocks.3.depthwise.conv"] or "blocks.3.depthwise.conv" in paths
    image = torch.randn(1, 3, 32, 32)
    for straight in straights:
        change = torch.randn(straight.mean.shape)
        effect = measured_effect(subject, image, target, straight.site, change)
        assert float(effect.mean()) == pytest.approx(float((straight.mean * change).sum()), rel=1e-4, abs=1e-5)
        assert straight.deviation < 1e-4


def test_a_skip_makes_several_blocks_straight_inputs() -> None:
    subject = tiny_lite()
    found = {
        subject.describe(s.site)
        for s in virtual_weights(subject, subject.channel(f"channel.{subject.layers[-2].number}/0"))
    }
    assert found == {"blocks.3.depthwise.conv", "blocks.4.depthwise.conv"}


def test_a_depthwise_unit_reads_one_channel_by_its_own_kernel() -> None:
    subject = tiny_lite()
    (straight,) = virtual_weights(subject, subject.channel("blocks.2.depthwise/5"))
    used = straight.centre.abs().amax(0).nonzero().flatten().tolist()
    assert used == [5]
    block = subject.model.blocks[2].depthwise  # type: ignore[index, union-attr]
    scale = block.norm.weight[5] / (block.norm.running_var[5] + block.norm.eps).sqrt()
    assert torch.allclose(kernel_of(subject, straight, 5), block.conv.weight[5, 0] * scale, atol=1e-5)


class Hidden(nn.Module):
    """A non-linearity that is no module lies between the two maps."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.act, self.b, self.c = nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 6, 1), nn.Conv2d(6, 4, 1)
        self.out = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.c(torch.relu(self.b(self.act(self.a(x))))).mean((2, 3)))


def test_a_path_that_is_not_linear_is_not_called_exact() -> None:
    torch.manual_seed(0)
    subject = from_module(Hidden(), PLAIN)
    assert virtual_weights(subject, subject.channel("channel_pre.2/1")) == ()
    found = attribute_through(
        subject,
        torch.randn(3, 3, 32, 32),
        torch.randn(3, 3, 32, 32) - 1,
        subject.channel("channel_pre.2/1"),
        Site("channel", 0),
        steps=64,
    )
    assert found.missing < 0.05


def test_integrated_gradients_add_up_over_several_non_linearities() -> None:
    subject = tiny_lite()
    images, others = torch.randn(4, 3, 32, 32), torch.randn(4, 3, 32, 32) * 0.3
    found = attribute_through(
        subject, images, others, subject.channel("blocks.4.expand/3"), Site("channel", 0), steps=48
    )
    assert abs(float(found.contribution.sum((1, 2)).mean()) - found.change) < 0.05 * abs(found.change) + 1e-3


class Sum(nn.Module):
    """Channel 0 of the second map is the sum of channels 0 and 1 of the first, and of nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.act, self.b, self.act2, self.out = (
            nn.Conv2d(3, 8, 1),
            nn.ReLU(),
            nn.Conv2d(8, 8, 1),
            nn.ReLU(),
            nn.Linear(8, 2),
        )
        with torch.no_grad():
            self.b.weight.normal_(0, 0.05, generator=torch.Generator().manual_seed(0))
            self.b.weight[0] = 0
            self.b.weight[0, :2] = 1
            self.b.bias.zero_()
            self.a.weight.zero_()
            self.a.weight[:2, 0] = 1.0  # red drives the two parts
            self.a.weight[2:, 2] = 0.5
            self.a.bias.fill_(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.act2(self.b(self.act(self.a(x)))).mean((2, 3)))


def test_the_parts_of_a_known_sum_are_found_and_confirmed_by_removal(tmp_path: Path) -> None:
    torch.manual_seed(0)
    subject, folder = from_module(Sum(), PLAIN), painted(tmp_path / "images", 8)
    table = survey_channels(subject, find_images(folder), tmp_path / "survey", folder=folder)
    made = build_circuit(subject, table, subject.channel("channel.1/0"), "red", count=2)
    assert {part.channel for part in made.parts} == {"channel.0/0", "channel.0/1"}
    assert all(part.weight == pytest.approx(1.0) for part in made.parts)
    assert made.covered == pytest.approx(1.0)
    assert made.exactness.largest_error < 1e-4
    assert made.removal is not None
    assert made.removal.lowered == pytest.approx(1.0)
    assert max(made.removal.control) < 0.05
    assert made.removal.status.value == "validated"
    with pytest.raises(InputError):
        build_circuit(subject, table, subject.channel("channel.1/0"), "green")


def test_removing_nothing_that_matters_changes_nothing() -> None:
    subject = small()
    found = remove(
        subject, torch.randn(4, 3, 32, 32), subject.channel("channel.0/1"), [subject.channel("channel.2/1")], draws=3
    )
    assert found.lowered == 0.0
    assert found.status.value == "attributed"
