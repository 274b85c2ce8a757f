"""The dense engine: any kind, any device, by torch autograd. It is also what the sparse engine is tested against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from brainscan.dictionary.autoencoder import unit_rows
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.protocol import Running, StepReport, Task
from brainscan.dictionary.revive import Pulse, due, restart

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
"""Adam's. Source: SAELens's and torch's defaults."""
_FROM_ZERO = {"b_enc", "b_gate", "r_mag"}
"""Parameters of a feature that begin at 0, and do so again."""


class DenseLearner:
    """Trains one dictionary of any kind.

    Args:
        task: what to train.
        y: the first batch of targets [n, d_out], unscaled; it places the output bias.
        device: where to compute.
    """

    def __init__(self, task: Task, y: torch.Tensor, device: torch.device | str = "cpu") -> None:
        self.task, self.device = task, torch.device(device)
        generator = torch.Generator().manual_seed(task.settings.seed)
        first = task.kind.begin(task.shape, task.settings, y.float().cpu() * task.scale_out, generator)
        self.p = {name: tensor.float().to(self.device).requires_grad_() for name, tensor in first.items()}
        self.mean = {name: torch.zeros_like(tensor) for name, tensor in self.p.items()}
        self.square = {name: torch.zeros_like(tensor) for name, tensor in self.p.items()}
        self.pulse = Pulse(np.zeros(task.settings.n_features, np.int64))
        self.number = self.tokens = 0

    def step(self, x: torch.Tensor, y: torch.Tensor, rate: float) -> StepReport:
        """One update on x [n, d_in] and y [n, d_out], unscaled, at learning rate ``rate``."""
        x = x.to(self.device, torch.float32) * self.task.scale_in
        y = y.to(self.device, torch.float32) * self.task.scale_out
        running = self.running()
        loss = self.task.kind.loss(self.p, x, y, self.task.settings, running)
        loss.total.backward()
        self._adam(rate)
        codes, error = loss.codes.detach(), (loss.written - y).detach()
        self._count(codes)
        self._maybe_restart(x, error)
        return StepReport(float(error.square().sum()), float((codes > 0).sum()) / len(x), int(running.dead.sum()))

    @torch.no_grad()
    def _adam(self, rate: float) -> None:
        self.number += 1
        first, second = 1 - BETA1**self.number, math.sqrt(1 - BETA2**self.number)
        for name, tensor in self.p.items():
            grad = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
            if name == "W_dec":  # the part along a row would only change its norm, which is 1
                grad = grad - (grad * tensor).sum(1, keepdim=True) / tensor.square().sum(1, keepdim=True) * tensor
            self.mean[name].mul_(BETA1).add_(grad, alpha=1 - BETA1)
            self.square[name].mul_(BETA2).addcmul_(grad, grad, value=1 - BETA2)
            tensor.addcdiv_(self.mean[name], self.square[name].sqrt().div_(second).add_(EPS), value=-rate / first)
            tensor.grad = None
        self.p["W_dec"].copy_(unit_rows(self.p["W_dec"]))

    def _count(self, codes: torch.Tensor) -> None:
        fired = (codes > 0).any(0).cpu().numpy()
        used = codes[codes > 0]
        self.tokens += len(codes)
        self.pulse.beat(fired, len(codes), float(used.min()) if used.numel() else 0.0)
        self.pulse.lead(used.numel() / len(codes), self.task.settings.k)

    @torch.no_grad()
    def _maybe_restart(self, x: torch.Tensor, error: torch.Tensor) -> None:
        before = self.tokens - len(x)
        if self.task.settings.revival != "resample" or not due(before, self.tokens, self.task.patience):
            return
        dead = self.pulse.dead(self.task.patience)
        rng = np.random.default_rng((self.task.settings.seed, self.number))
        living = self.p["W_enc"][:, torch.from_numpy(~dead)].norm(dim=0)
        read = x - self.p["b_dec"] if self.task.kind.centre else x
        norm = float(living.mean()) if living.numel() else 1.0
        new = restart(dead, read.cpu().numpy(), error.cpu().numpy(), norm, rng)
        at = torch.from_numpy(new.features).to(self.device)
        self.p["W_enc"][:, at] = torch.from_numpy(new.encoder).t().to(self.device)
        self.p["W_dec"][at] = torch.from_numpy(new.decoder).to(self.device)
        for name in self.p.keys() & _FROM_ZERO:
            self.p[name][at] = 0
        for moments in (self.mean, self.square):
            moments["W_enc"][:, at] = 0
            for name in moments.keys() & {"W_dec", *_FROM_ZERO}:
                moments[name][at] = 0
        self.pulse.quiet[new.features] = 0

    def running(self) -> Running:
        """What is known beyond the parameters."""
        dead = torch.from_numpy(self.pulse.dead(self.task.patience)).to(self.device)
        scales = self.task.scale_in, self.task.scale_out
        return Running(self.task.shape, dead, self.pulse.pressure, self.pulse.threshold, *scales)

    def dictionary(self) -> Dictionary | DictionarySet:
        """The dictionary as it is now."""
        return self.task.kind.finish(self.p, self.task.settings, self.running())

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on: arrays and numbers by name."""
        parts = {"weight": self.p, "mean": self.mean, "square": self.square}
        arrays = {f"{n}.{part}": t.detach().cpu().numpy() for part, of in parts.items() for n, t in of.items()}
        counts = {"step": self.number, "tokens": self.tokens, "batches": self.pulse.batches}
        known = {"pressure": self.pulse.pressure, "threshold": self.pulse.threshold}
        return {**arrays, "quiet": self.pulse.quiet, **counts, **known}

    @torch.no_grad()
    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a ``state``."""
        for part, of in {"weight": self.p, "mean": self.mean, "square": self.square}.items():
            for name, tensor in of.items():
                tensor.copy_(torch.from_numpy(np.asarray(state[f"{name}.{part}"])))
        self.pulse.quiet[...] = state["quiet"]
        self.pulse.batches = int(state["batches"])
        self.pulse.pressure, self.pulse.threshold = float(state["pressure"]), float(state["threshold"])
        self.number, self.tokens = int(state["step"]), int(state["tokens"])
