"""Receptive fields, computed from the network itself: which pixels a position can see at all.

A copy of the network gets positive, equal weights, no biases and norms that do nothing, so that every
pixel that is connected to a position has a positive gradient there and every other pixel none. The
gradients of the first and the last position give the offsets on both sides; the stride is the image's
size over the map's. What that copy cannot show (a norm over the whole map, for one) is seen in the network
itself: pixels outside a field are changed, and if the position answers, it sees the whole image.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from brainscan.core.address import Site
from brainscan.subject.vision.subject import VisionSubject

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the input; right and bottom are not inside."""

_NOISE = 1e-4
"""Relative change below which an answer is rounding."""


@dataclass(frozen=True)
class Field:
    """The receptive fields of a site."""

    rows: int
    columns: int
    size: int
    """Pixels of the input on a side."""
    before: int
    """First pixel seen by the last position, less the last position times the stride: at most 0 when unclipped."""
    after: int
    """Pixels seen by the first position."""

    @property
    def whole(self) -> bool:
        """True when every position sees the whole image."""
        return self.box(0) == self.box(self.rows * self.columns - 1) == (0, 0, self.size, self.size)

    def box(self, position: int) -> Box:
        """The pixels that a position can see."""
        row, column = divmod(position, self.columns)
        (top, bottom), (left, right) = self._span(row, self.rows), self._span(column, self.columns)
        return left, top, right, bottom

    def _span(self, place: int, places: int) -> tuple[int, int]:
        stride = self.size / places
        lo = self.before + place * stride if self.before > -self.size else 0
        hi = self.after + place * stride
        return max(0, round(lo)), min(self.size, round(hi))


def receptive_field(subject: VisionSubject, site: Site) -> Field:
    """The receptive fields of one site; the whole image where positions are mixed, by attention or otherwise.

    Raises:
        SiteUnavailable: the model lacks the site.
    """
    site = subject.check(site)
    grid = _grid(subject, site)
    size = subject.preparation.size
    everywhere = Field(*(grid or (1, 1)), size, -size, size)
    if grid is None:
        return everywhere
    plain = VisionSubject(_plain(subject.model), subject.card, subject.preparation, dtype=torch.float64)
    # Small enough that sums over skips stay below the bend of a capped non-linearity.
    images = torch.full((2, 3, size, size), 1e-6, dtype=torch.float64, requires_grad=True)
    found: list[torch.Tensor] = []
    plain.inspect(images, {site: lambda _, x: found.append(x)}, grad=True)
    corners = found[0][0, 0].sum() + found[0][1, -1].sum()
    (seen,) = torch.autograd.grad(corners, images)
    first, last = (seen.abs().sum(1) > 0).any(2)  # rows seen [row]
    if not first.any() or not last.any():  # a norm of its own kind cancels the gradient
        return everywhere
    stride = size / grid[0]
    after = int(first.nonzero().max()) + 1
    before = int(last.nonzero().min()) - round((grid[0] - 1) * stride)
    field = Field(*grid, size, before, after)
    return everywhere if last.all() or first.all() or _answers_outside(subject, site, field) else field


def _answers_outside(subject: VisionSubject, site: Site, field: Field) -> bool:
    """Whether the first position changes with pixels that its field leaves out."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(1, 3, field.size, field.size, generator=generator).repeat(2, 1, 1, 1)
    left, top, right, bottom = field.box(0)
    kept = images[1, :, top:bottom, left:right].clone()
    images[1] = torch.randn(images[1].shape, generator=generator)
    images[1, :, top:bottom, left:right] = kept
    found: list[torch.Tensor] = []
    subject.inspect(images.to(subject.device), {site: lambda _, x: found.append(x[:, 0].float().clone())})
    same, changed = found[0]
    return bool((same - changed).abs().max() > _NOISE * same.abs().max().clamp(min=1e-12))


def _grid(subject: VisionSubject, site: Site) -> tuple[int, int] | None:
    if site.point != "resid_post":
        return subject.layers[site.layer or 0].grid
    if not subject.port(site).grid:
        return None
    shape: list[Any] = []
    handle = subject.port(site).module.register_forward_hook(lambda m, a, out: shape.append(out.shape))
    subject.inspect(subject.blank(1), {site: lambda _, x: None})
    handle.remove()
    return (int(shape[0][2]), int(shape[0][3])) if shape else None


def _unchanged(input: torch.Tensor) -> torch.Tensor:  # called as a norm's forward is
    return input


def _plain(model: nn.Module) -> nn.Module:
    """The copy in which everything that is connected is connected by the same positive weight."""
    plain = copy.deepcopy(model).cpu().double().eval()  # gradients at the edges are far below float32's smallest
    with torch.no_grad():
        for module in plain.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.fill_(1.0 / module.weight[0].numel())
                if module.bias is not None:
                    module.bias.zero_()
            if isinstance(module, nn.LayerNorm | nn.GroupNorm | nn.modules.instancenorm._InstanceNorm):
                module.forward = _unchanged  # of equal values it would be 0, with a gradient of 0
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                for value, number in (
                    (module.weight, 1.0),
                    (module.bias, 0.0),
                    (module.running_var, 1.0),
                    (module.running_mean, 0.0),
                ):
                    if value is not None:
                        value.fill_(number)
    return plain
