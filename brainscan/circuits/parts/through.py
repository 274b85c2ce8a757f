"""Attribution where the path is not linear: integrated gradients over units (Sundararajan et al. 2017).

The source's activations go in equal steps from what they are on other images to what they are on the
label's; the derivative of the target is averaged on the way. The shares add up to the change of the target.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from brainscan.circuits.parts.weights import activations, before_activation
from brainscan.core.address import Site
from brainscan.subject.edit import Edit
from brainscan.subject.vision.subject import Channel, VisionSubject

STEPS = 8


@dataclass(frozen=True)
class Through:
    """What every unit of a site adds to the target's mean, over all paths."""

    site: Site
    contribution: torch.Tensor  # [image, pos, channel]
    slope: torch.Tensor  # [channel] mean derivative
    change: float
    """Real change of the target's mean from the baseline to the images."""
    missing: float
    """Share of ``change`` that the contributions do not add up to, 0 to 1."""


def attribute_through(
    subject: VisionSubject,
    images: torch.Tensor,
    others: torch.Tensor,
    target: Channel,
    source: Site,
    steps: int = STEPS,
) -> Through:
    """Integrated gradients of the target's mean over positions with respect to a site.

    Args:
        images: prepared, those of the label [image, 3, row, column].
        others: prepared, those whose mean activation is the baseline.
    """
    target = before_activation(subject, target)
    here = activations(subject, images, (source,))[source]
    base = activations(subject, others, (source,))[source].mean((0, 1), keepdim=True)  # [1, 1, channel]
    slopes = torch.zeros_like(here)
    for step in range(steps):
        share = (step + 0.5) / steps
        leaf = (base + share * (here - base)).requires_grad_()
        slopes += torch.autograd.grad(_target(subject, images, target, leaf, source, grad=True).sum(), leaf)[0] / steps
    with torch.no_grad():
        ends = [_target(subject, images, target, value, source) for value in (here, base.expand_as(here).contiguous())]
    contribution = (slopes * (here - base)).detach()
    change = float((ends[0] - ends[1]).mean())
    total = float(contribution.sum((1, 2)).mean())
    return Through(source, contribution, slopes.mean((0, 1)), change, abs(total - change) / max(abs(change), 1e-9))


def _target(
    subject: VisionSubject,
    images: torch.Tensor,
    target: Channel,
    value: torch.Tensor,
    source: Site,
    *,
    grad: bool = False,
) -> torch.Tensor:
    """The target's mean over positions [image] with the source's activations set."""
    out: list[torch.Tensor] = []
    subject.inspect(
        images,
        {target.site: lambda _, x: out.append(x[..., target.index].mean(1))},
        [Edit.patch(source, value)],
        grad=grad,
    )
    return out[0]
