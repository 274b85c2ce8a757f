"""Feature visualisation: pictures made by optimisation to drive a channel, a direction or a dictionary's feature.

The picture is held as coefficients of its Fourier transform, scaled so that every frequency is as easy to
change as in natural images, in colours that are uncorrelated in photographs; it is jittered, turned and
scaled a little at every step, so that only what survives that is painted. Method: Olah, Mordvintsev and
Schubert, "Feature Visualization", Distill 2017. The colour correlation is that of natural images measured there.

The objective is read before the non-linearity: after it the gradient of a silent unit is zero and nothing moves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.core.evidence import Finite, Record
from brainscan.subject.progress import Progress, silent
from brainscan.subject.vision.fold import folded
from brainscan.subject.vision.subject import Channel, VisionSubject

_COLOUR = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the covariance of red, green and blue in photographs."""
_TURNS, _SCALES, _JITTER = (-6.0, 6.0), (0.92, 1.08), 8


class PaintSettings(Record):
    """How a picture is made."""

    steps: int = 256
    size: int = 128
    """Pixels on a side; the network sees it as it is, unless it takes one size only."""
    rate: Finite = 0.05
    diversity: Finite = 0.0
    """Weight of the term that keeps pictures of one objective apart; 0 makes them alike."""
    seed: int = 0


@dataclass(frozen=True)
class Objective:
    """What a picture is to drive: ``direction`` [channel] at ``site``, averaged over positions."""

    name: str
    site: Site
    direction: torch.Tensor


@dataclass(frozen=True)
class Painted:
    """Pictures of one objective."""

    name: str
    pictures: NDArray[np.uint8]  # [picture, 3, size, size]
    start: float
    """Value of the objective on the first step's picture, mean over pictures."""
    reached: float
    """Value on the last step's picture, without transformations."""
    settings: PaintSettings


def channel_objective(subject: VisionSubject, channel: Channel, sign: float = 1.0) -> Objective:
    """Towards (or with ``sign`` -1 away from) one channel, before its non-linearity."""
    site = Site("channel_pre", channel.site.layer) if channel.site.point == "channel" else channel.site
    direction = torch.zeros(subject.width(site))
    direction[channel.index] = sign
    return Objective(str(channel) if sign > 0 else f"{channel}, away", site, direction)


def paint(
    subject: VisionSubject,
    objectives: Sequence[Objective],
    settings: PaintSettings | None = None,
    *,
    each: int = 1,
    progress: Progress = silent,
) -> tuple[Painted, ...]:
    """Make ``each`` pictures for every objective, all in one batch.

    Raises:
        UsageError: there is nothing to paint, or an objective does not fit its site.
        SiteUnavailable: the model lacks a site.
    """
    settings = settings or PaintSettings()
    if not objectives or each < 1:
        raise UsageError("There is nothing to paint.", "Name at least one channel.")
    for objective in objectives:
        if len(objective.direction) != subject.width(subject.check(objective.site)):
            raise UsageError(f"{objective.name} does not fit {objective.site}.", "Give one number for each channel.")
    subject = folded(subject)
    generator = torch.Generator().manual_seed(settings.seed)
    spectrum = _start(len(objectives) * each, settings.size, generator).requires_grad_()
    optimiser = torch.optim.Adam([spectrum], lr=settings.rate)
    first = torch.zeros(len(objectives))
    for step in range(settings.steps):
        optimiser.zero_grad()
        values = _climb(subject, spectrum, objectives, each, settings, generator)
        if step == 0:
            first = values.detach()
        # Without a gradient below where it began a unit is silent; above, it is as high as its bound lets it be.
        lost = spectrum.grad is not None and (spectrum.grad.flatten(1).abs().amax(1) == 0).any()
        if lost and (values.detach() <= first).any():
            optimiser.zero_grad()
            with redirected(subject.model):
                _climb(subject, spectrum, objectives, each, settings, generator)
        optimiser.step()
        progress((step + 1) / settings.steps, f"step {step + 1} of {settings.steps}")
    with torch.no_grad():
        pictures = _picture(spectrum, settings.size)
        last, _ = _values(subject, pictures, objectives, each)
    pixels = (
        (pictures * 255).round().to(torch.uint8).numpy().reshape(len(objectives), each, 3, settings.size, settings.size)
    )
    return tuple(
        Painted(objective.name, pixels[i], float(first[i]), float(last[i]), settings)
        for i, objective in enumerate(objectives)
    )


def _climb(
    subject: VisionSubject,
    spectrum: torch.Tensor,
    objectives: Sequence[Objective],
    each: int,
    settings: PaintSettings,
    generator: torch.Generator,
) -> torch.Tensor:
    """The objectives' values [objective] under a random move, with their gradient left on the spectrum."""
    values, alike = _values(subject, _moved(_picture(spectrum, settings.size), generator), objectives, each)
    (settings.diversity * alike - values.sum()).backward()
    return values


class _Redirected(torch.autograd.Function):
    """Clamp through which a picture's gradient passes even if all of it would be lost, so that a silent unit can wake.

    Then it passes where it leads back into the range. Where any of it passes anyway, nothing changes: handed on
    by every unit that is off, it grows from layer to layer and points nowhere (as in lucid's redirected ReLU).
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, top: float) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.top = top
        return x.clamp(0, top)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        (x,) = ctx.saved_tensors
        passed = torch.ops.aten.hardtanh_backward(grads[0], x, 0.0, ctx.top)
        lost = torch.linalg.vector_norm(passed, dim=tuple(range(1, x.ndim))) == 0
        if lost.any():
            back = (x <= 0) & (grads[0] < 0) | (x >= ctx.top) & (grads[0] > 0)
            passed[lost] = (grads[0] * back)[lost]
        return passed, None


@contextmanager
def redirected(model: nn.Module) -> Iterator[None]:
    """Let every ReLU and ReLU6 of a copy hand gradients on as ``_Redirected`` does, while the context is open."""
    found = [module for module in model.modules() if isinstance(module, nn.ReLU | nn.ReLU6)]
    for module in found:
        top = 6.0 if isinstance(module, nn.ReLU6) else math.inf
        module.forward = lambda x, top=top: _Redirected.apply(x, top)  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        for module in found:
            vars(module).pop("forward", None)


def _start(count: int, size: int, generator: torch.Generator) -> torch.Tensor:
    """Random coefficients [picture, 3, row, column of half the plane, real and imaginary]."""
    return 0.01 * torch.randn(count, 3, size, size // 2 + 1, 2, generator=generator)


def _picture(spectrum: torch.Tensor, size: int) -> torch.Tensor:
    """Coefficients -> red, green and blue in 0..1 [picture, 3, size, size]."""
    rows, columns = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]
    scale = 1 / torch.sqrt(rows**2 + columns**2).clamp(min=1 / size)
    plane = torch.fft.irfft2(torch.view_as_complex(spectrum.contiguous()) * scale, s=(size, size), norm="ortho") / 4
    colour = torch.tensor(_COLOUR)
    mixed = torch.einsum("ij,bjhw->bihw", colour / colour.norm(dim=0).max(), plane)
    return torch.sigmoid(mixed)


def _moved(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Every picture jittered, turned and scaled by one random draw; what moves in from outside is grey."""

    def draw(lo: float, hi: float) -> float:
        return lo + (hi - lo) * float(torch.rand((), generator=generator))

    turn, scale = math.radians(draw(*_TURNS)), draw(*_SCALES)
    shift = [2 * draw(-_JITTER, _JITTER) / pictures.shape[-1] for _ in range(2)]
    row_one = [math.cos(turn) / scale, -math.sin(turn) / scale, shift[0]]
    row_two = [math.sin(turn) / scale, math.cos(turn) / scale, shift[1]]
    matrix = torch.tensor([[row_one, row_two]]).expand(len(pictures), -1, -1)
    grid = F.affine_grid(matrix, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures - 0.5, grid, align_corners=False) + 0.5


def _values(
    subject: VisionSubject, pictures: torch.Tensor, objectives: Sequence[Objective], each: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each objective's value, mean over its pictures and positions, and how alike the pictures of one are."""
    found: dict[Site, torch.Tensor] = {}
    wanted = {objective.site: lambda site, x: found.update({site: x}) for objective in objectives}
    subject.inspect(_input(subject, pictures), wanted, grad=True)
    values, alike = [], torch.zeros(())
    for i, objective in enumerate(objectives):
        mine = found[objective.site][i * each : (i + 1) * each]  # [picture, pos, channel]
        values.append((mine @ objective.direction.to(mine)).mean())
        if each > 1:
            alike = alike + _alikeness(mine)
    return torch.stack(values), alike


def _alikeness(x: torch.Tensor) -> torch.Tensor:
    """Mean cosine of the channels' correlations between pictures: 1 when their textures are the same."""
    gram = F.normalize((x.transpose(1, 2) @ x).flatten(1), dim=1)
    between = gram @ gram.T
    return (between.sum() - between.trace()) / (len(x) * (len(x) - 1))


def _input(subject: VisionSubject, pictures: torch.Tensor) -> torch.Tensor:
    """0..1 -> the model's input, resized where the model takes one size only (attention over fixed positions)."""
    prepared = subject.prepare(255 * pictures)
    if all(layer.kind == "convolution" for layer in subject.layers[:-1]):
        return prepared.contiguous(memory_format=torch.channels_last)
    return F.interpolate(prepared, size=subject.preparation.size, mode="bilinear", antialias=True)
