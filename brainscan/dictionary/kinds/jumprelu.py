"""JumpReLU: a threshold a feature, learned through a straight-through estimator.

Source: Rajamanoharan et al., "Jumping Ahead" (arXiv 2407.14435), sections 3 and 4 (rectangle kernel).
Thresholds are parameters themselves, in float32: as logarithms, or in bfloat16, they stop learning under
Adam (SAELens #494, #718, #728).
"""

from __future__ import annotations

from typing import Any

import torch

from brainscan.dictionary.autoencoder import aux_loss, first_parameters, made, pre_activations, squared_error
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.protocol import Loss, Parameters, Running, Shape
from brainscan.dictionary.settings import Settings

START = 0.01
"""First threshold, in scaled units. Source: SAELens's init_threshold."""


class JumpRelu:
    """Squared error plus pressure * L0; the pressure follows the L0 towards k, so the L0 can move both ways."""

    name = "jumprelu"
    selection = None
    centre = True

    def begin(self, shape: Shape, settings: Settings, y: torch.Tensor, generator: torch.Generator) -> Parameters:
        """First parameters with thresholds at ``START``."""
        p = first_parameters(shape, settings, y, generator)
        return {**p, "threshold": torch.full((settings.n_features,), START)}

    def loss(self, p: Parameters, x: torch.Tensor, y: torch.Tensor, settings: Settings, running: Running) -> Loss:
        """Squared error, L0 under pressure, aux loss."""
        pre = pre_activations(p, x, self.centre)
        codes = jump_relu(torch.relu(pre), p["threshold"], settings.bandwidth)
        written = codes @ p["W_dec"] + p["b_dec"]
        sparsity = running.pressure * step(pre, p["threshold"], settings.bandwidth).sum(1).mean()
        aux = aux_loss(p, pre, y - written, settings, running)
        return Loss(squared_error(written, y) + sparsity + aux, written, codes)

    def finish(self, p: Parameters, settings: Settings, running: Running) -> Dictionary:
        """A JumpReLU dictionary; negative thresholds mean what 0 means."""
        threshold = p["threshold"].detach().clone().float()
        return made(p, settings, running, activation="jumprelu", threshold=threshold, apply_b_dec_to_input=True)


class _Step(torch.autograd.Function):
    """1 where z > threshold. Only the threshold feels a gradient: -1 / bandwidth within half a bandwidth."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, threshold: torch.Tensor, bandwidth: float) -> torch.Tensor:
        ctx.save_for_backward(z, threshold)
        ctx.bandwidth = bandwidth
        return (z > threshold).to(z.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[None, torch.Tensor, None]:
        z, threshold = ctx.saved_tensors
        return None, -(_window(z - threshold, ctx.bandwidth) * grads[0]).sum(0) / ctx.bandwidth, None


class _JumpRelu(torch.autograd.Function):
    """z where z > threshold, else 0. The threshold feels -threshold / bandwidth within half a bandwidth."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, threshold: torch.Tensor, bandwidth: float) -> torch.Tensor:
        ctx.save_for_backward(z, threshold)
        ctx.bandwidth = bandwidth
        return z * (z > threshold)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[torch.Tensor, torch.Tensor, None]:
        z, threshold = ctx.saved_tensors
        near = _window(z - threshold, ctx.bandwidth) * grads[0]
        return grads[0] * (z > threshold), -(threshold / ctx.bandwidth) * near.sum(0), None


def _window(distance: torch.Tensor, bandwidth: float) -> torch.Tensor:
    return (distance.abs() < bandwidth / 2).to(distance.dtype)


def step(z: torch.Tensor, threshold: torch.Tensor, bandwidth: float) -> torch.Tensor:
    """Straight-through step of z [n, F] over threshold [F]."""
    return _Step.apply(z, threshold, bandwidth)  # type: ignore[no-any-return]


def jump_relu(z: torch.Tensor, threshold: torch.Tensor, bandwidth: float) -> torch.Tensor:
    """Straight-through JumpReLU of z [n, F] over threshold [F]."""
    return _JumpRelu.apply(z, threshold, bandwidth)  # type: ignore[no-any-return]
