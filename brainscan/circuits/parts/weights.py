"""Exact virtual weights: how much a unit adds to a channel over every path with nothing non-linear on it.

Block outputs are linear, so a channel's pre-activation is a sum over units of several blocks. Every
non-linearity's output is held, so that the derivative of the target with respect to it goes straight;
where the path is linear, the derivative is the weight, whatever the image. It is taken on two images,
and their difference says whether the path is linear.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from brainscan.core.address import Site
from brainscan.subject.edit import Edit
from brainscan.subject.vision.subject import Channel, VisionSubject

LINEAR = 1e-4
"""A deviation above this is no linear path."""


@dataclass(frozen=True)
class Straight:
    """The weights from one site's units to the target."""

    site: Site
    centre: torch.Tensor  # [pos, channel] derivative of the target's middle position
    mean: torch.Tensor  # [pos, channel] derivative of the target's mean over positions
    deviation: float
    """Largest difference between two images, over the largest weight."""

    @property
    def total(self) -> torch.Tensor:
        """Sum over offsets [channel]: the weight of a unit that is equally active everywhere near."""
        return self.centre.sum(0)


def before_activation(subject: VisionSubject, target: Channel) -> Channel:
    """The same channel before its non-linearity."""
    return Channel(Site("channel_pre", target.site.layer), target.index) if target.site.point == "channel" else target


def held_sites(subject: VisionSubject, target: Channel) -> tuple[Site, ...]:
    """Outputs of every non-linearity that comes before the target."""
    limit = subject.forward_order(before_activation(subject, target).site)
    sites = [Site("channel", layer.number) for layer in subject.layers if layer.post is not None]
    return tuple(site for site in sites if subject.forward_order(site) < limit)


def virtual_weights(subject: VisionSubject, target: Channel, seed: int = 0) -> tuple[Straight, ...]:
    """Weights from every site that reaches the target straight, nearest first.

    Sites whose derivative depends on the image (a non-linearity that is no module lies between) are left out.

    Raises:
        SiteUnavailable: the model lacks the target's site.
    """
    target = before_activation(subject, target)
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(2, *subject.blank(1).shape[1:], generator=generator).to(subject.device)
    first, second = (_derivatives(subject, image[None], target) for image in images)
    found = []
    for site in reversed(first):
        scale = float(first[site][0].abs().max())
        if scale == 0:
            continue
        apart = max(float((a - b).abs().max()) for a, b in zip(first[site], second[site], strict=True))
        if apart / scale <= LINEAR:
            found.append(Straight(site, *first[site], apart / scale))
    return tuple(found)


def _derivatives(
    subject: VisionSubject, image: torch.Tensor, target: Channel
) -> dict[Site, tuple[torch.Tensor, torch.Tensor]]:
    """Site -> derivatives [pos, channel] of the target's middle position and of its mean, all non-linearities held."""
    sites = held_sites(subject, target)
    if not sites:
        return {}
    values = activations(subject, image, sites)
    leaves = {site: value.requires_grad_() for site, value in values.items()}
    edits = [Edit.patch(site, leaf) for site, leaf in leaves.items()]
    out: list[torch.Tensor] = []
    subject.inspect(image, {target.site: lambda _, x: out.append(x[0, :, target.index])}, edits, grad=True)
    wanted = list(leaves.values())
    middle = torch.autograd.grad(out[0][_middle(subject, target.site)], wanted, retain_graph=True, allow_unused=True)
    mean = torch.autograd.grad(out[0].mean(), wanted, allow_unused=True)
    none = [torch.zeros_like(leaf) for leaf in wanted]
    return {
        site: (zero[0] if m is None else m[0], zero[0] if a is None else a[0])
        for site, m, a, zero in zip(leaves, middle, mean, none, strict=True)
    }


def activations(subject: VisionSubject, images: torch.Tensor, sites: tuple[Site, ...]) -> dict[Site, torch.Tensor]:
    """Copies of what passes at sites [image, pos, channel]."""
    kept: dict[Site, torch.Tensor] = {}
    if sites:
        subject.inspect(images, dict.fromkeys(sites, lambda site, x: kept.update({site: x.clone()})))
    return kept


def _middle(subject: VisionSubject, site: Site) -> int:
    grid = subject.layers[site.layer or 0].grid
    return 0 if grid is None else (grid[0] // 2) * grid[1] + grid[1] // 2


def measured_effect(
    subject: VisionSubject, image: torch.Tensor, target: Channel, source: Site, change: torch.Tensor
) -> torch.Tensor:
    """What really happens to the target [pos] when ``change`` [pos, channel] is added at a site, straight.

    Every other non-linearity between is held at what it was, by edits, so that only the straight path moves.
    """
    target = before_activation(subject, target)
    order = subject.forward_order(source)
    later = tuple(site for site in held_sites(subject, target) if subject.forward_order(site) > order)
    kept = activations(subject, image, (*later, source))
    held = [Edit.patch(site, kept[site]) for site in later]
    out: list[torch.Tensor] = []
    for edits in (held, [Edit.patch(source, kept[source] + change), *held]):
        subject.inspect(image, {target.site: lambda _, x: out.append(x[0, :, target.index].clone())}, edits)
    return out[1] - out[0]


def kernel_of(subject: VisionSubject, straight: Straight, unit: int) -> torch.Tensor:
    """The weights of one unit as a map [row, column], cut to where they are not zero."""
    grid = subject.layers[straight.site.layer or 0].grid or (1, straight.centre.shape[0])
    weights = straight.centre[:, unit].reshape(grid)
    rows, columns = weights.abs().amax(1).nonzero().flatten(), weights.abs().amax(0).nonzero().flatten()
    if not len(rows):
        return weights[:1, :1]
    return weights[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
