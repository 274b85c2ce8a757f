"""Networks that are defined here: EfficientNet-Lite 0, and a small one for phantoms, controls and organisms.

Every non-linearity and every norm is a module of its own, so that hooks see what passes between them.
EfficientNet-Lite after Tan and Le (2019) and the Lite recipe (2020): ReLU6, no squeeze-and-excitation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

_EPSILON = 1e-3


@dataclass(frozen=True)
class Stage:
    """Blocks of one width."""

    blocks: int
    kernel: int
    stride: int
    """Of the first block; the others have 1."""
    expand: int
    width: int


LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
"""The stages of EfficientNet-Lite 0."""


class SameConv2d(nn.Conv2d):
    """A convolution whose output is the input's size over the stride, rounded up; an odd padding goes right and below."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """[batch, channel, row, column] -> the same, over the stride."""
        pads: list[int] = []
        for size, kernel, stride in zip(input.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            lacking = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [lacking // 2, lacking - lacking // 2]
        padded = F.pad(input, pads) if any(pads) else input
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class Unit(nn.Sequential):
    """Convolution, batch norm and, unless it is linear, ReLU6."""

    def __init__(
        self, inward: int, outward: int, kernel: int, stride: int = 1, *, groups: int = 1, linear: bool = False
    ):
        parts: dict[str, nn.Module] = {
            "conv": SameConv2d(inward, outward, kernel, stride, groups=groups, bias=False),
            "norm": nn.BatchNorm2d(outward, eps=_EPSILON, momentum=0.01),
        }
        super().__init__()
        for name, part in parts.items() if linear else {**parts, "act": nn.ReLU6()}.items():
            self.add_module(name, part)


class Block(nn.Module):
    """Inverted bottleneck: expand, depthwise, project; the input is added where shapes allow. Its output is linear."""

    def __init__(self, inward: int, outward: int, kernel: int, stride: int, expand: int):
        super().__init__()
        hidden = inward * expand
        if expand != 1:
            self.expand = Unit(inward, hidden, 1)
        self.depthwise = Unit(hidden, hidden, kernel, stride, groups=hidden)
        self.project = Unit(hidden, outward, 1, linear=True)
        self.skips = stride == 1 and inward == outward

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, channel, row, column] -> the same with the block's width and stride."""
        hidden = self.expand(x) if hasattr(self, "expand") else x
        out = self.project(self.depthwise(hidden))
        return x + out if self.skips else out


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite 0: images [batch, 3, 224, 224] -> logits [batch, 1000]."""

    def __init__(self, stages: tuple[Stage, ...] = LITE0, stem: int = 32, head: int = 1280, classes: int = 1000):
        super().__init__()
        self.stem = Unit(3, stem, 3, 2)
        made, width = [], stem
        for stage in stages:
            for number in range(stage.blocks):
                stride = stage.stride if number == 0 else 1
                made.append(Block(width, stage.width, stage.kernel, stride, stage.expand))
                width = stage.width
        self.blocks = nn.ModuleList(made)
        self.head = Unit(width, head, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(head, classes)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits [batch, class]."""
        x = self.stem(pixels)
        for block in self.blocks:
            x = block(x)
        return self.classifier(self.pool(self.head(x)).flatten(1))


class SmallNet(nn.Module):
    """Three convolutions and a linear map that knows places: images [batch, 3, size, size] -> logits. Seconds to train."""

    def __init__(self, classes: int = 6, width: int = 12):
        super().__init__()
        widths = (3, width, 2 * width, 3 * width)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.acts = nn.ModuleList(nn.ReLU() for _ in self.convs)
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.classifier = nn.Linear(16 * widths[-1], classes)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits [batch, class]."""
        x = pixels
        for conv, act in zip(self.convs, self.acts, strict=True):
            x = act(conv(x))
        return self.classifier(self.pool(x).flatten(1))


def lite0_name(theirs: str) -> str:
    """Our name of a tensor of the package's checkpoint."""
    parts = {"_conv_stem": "stem.conv", "_bn0": "stem.norm", "_conv_head": "head.conv", "_bn1": "head.norm"}
    inside = {
        "_expand_conv": "expand.conv",
        "_bn0": "expand.norm",
        "_depthwise_conv": "depthwise.conv",
        "_bn1": "depthwise.norm",
        "_project_conv": "project.conv",
        "_bn2": "project.norm",
    }
    words = theirs.split(".")
    if words[0] == "_blocks":
        return ".".join(("blocks", words[1], inside[words[2]], *words[3:]))
    return ".".join(({**parts, "_fc": "classifier"}[words[0]], *words[1:]))
