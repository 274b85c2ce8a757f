"""Toy models of superposition: more features than dimensions, learned in seconds.

The model stores n features in m dimensions and reads them back: x' = ReLU(W^T W x + b), trained on the
importance-weighted squared error. Each feature is 0 with probability S (its sparsity), else uniform in
[0, 1]. Source: Elhage et al., "Toy Models of Superposition" (Transformer Circuits, 2022): sections
"Demonstrating superposition" (sweep), "Superposition as a phase change", "The geometry of superposition".

Many models of one size are trained at once, one a setting, as one batched product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from brainscan.core.evidence import Finite, Record

ABSENT, ALONE = 0.25, 0.25
"""A feature of squared norm below ``ABSENT`` is not stored; one whose interference is below ``ALONE`` has a
dimension of its own."""


class ToySettings(Record):
    """How toy models are trained."""

    n_features: int = 20
    n_hidden: int = 5
    steps: int = 3000
    batch: int = 256
    lr: Finite = 1e-2
    """Peak rate; it falls to 0 along a cosine."""
    seed: int = 0


@dataclass(frozen=True)
class ToyModels:
    """Trained toy models, one a setting s."""

    W: torch.Tensor  # [s, n_hidden, n_features], column i is where feature i lives
    b: torch.Tensor  # [s, n_features]
    loss: torch.Tensor  # [s] mean over the last tenth of the steps

    @property
    def norms(self) -> torch.Tensor:
        """How strongly each feature is stored [s, n_features]: about 0 not at all, about 1 fully."""
        return self.W.square().sum(1)

    @property
    def interference(self) -> torch.Tensor:
        """Squared overlap of each feature with all others [s, n_features]: 0 is a direction of its own."""
        unit = self.W / self.W.norm(dim=1, keepdim=True).clamp(min=1e-6)
        overlap = torch.einsum("smi,smj->sij", unit, self.W).square()
        return overlap.sum(2) - torch.diagonal(overlap, dim1=1, dim2=2)

    @property
    def dimensionality(self) -> torch.Tensor:
        """Share of a dimension that each feature has [s, n_features], 0 to 1: 1/2 for antipodal pairs, 2/5 in a pentagon.

        Source: "The geometry of superposition", D_i = |W_i|^2 / sum_j (unit W_i . W_j)^2.
        """
        return self.norms / (self.norms + self.interference).clamp(min=1e-6)

    @property
    def dimensions_per_feature(self) -> torch.Tensor:
        """m / |W|^2 [s]: 1 without superposition, less the more features are stored."""
        return self.W.shape[1] / self.norms.sum(1).clamp(min=1e-6)


def train_toys(density: torch.Tensor, importance: torch.Tensor, settings: ToySettings) -> ToyModels:
    """Train one toy model a setting.

    Args:
        density: 1 - S of each setting [s], 0 to 1: how often a feature is there.
        importance: weight of each feature's error [s, n_features].
    """
    generator = torch.Generator().manual_seed(settings.seed)
    s, n, m = len(density), settings.n_features, settings.n_hidden
    W = (torch.randn(s, m, n, generator=generator) * (2 / (n + m)) ** 0.5).requires_grad_()
    b = torch.zeros(s, 1, n, requires_grad=True)
    optimiser = torch.optim.Adam([W, b], lr=settings.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    tail: list[torch.Tensor] = []
    for step in range(settings.steps):
        x = torch.rand(s, settings.batch, n, generator=generator)
        x = x * (torch.rand(s, settings.batch, n, generator=generator) < density[:, None, None])
        back = torch.relu((x @ W.transpose(1, 2)) @ W + b)
        losses = (importance[:, None] * (x - back).square()).mean((1, 2))
        optimiser.zero_grad()
        losses.sum().backward()
        optimiser.step()
        schedule.step()
        if step >= settings.steps * 9 // 10:
            tail.append(losses.detach())
    return ToyModels(W.detach(), b.detach()[:, 0], torch.stack(tail).mean(0))


def sparsity_sweep(densities: Sequence[float], settings: ToySettings, decay: float = 0.9) -> ToyModels:
    """One model a density; feature i has importance decay ** i. Source: "Demonstrating superposition"."""
    importance = decay ** torch.arange(settings.n_features).float()
    return train_toys(torch.tensor(densities), importance.expand(len(densities), -1), settings)


@dataclass(frozen=True)
class PhaseDiagram:
    """What becomes of the second of two features in one dimension, over density and relative importance."""

    densities: tuple[float, ...]
    importances: tuple[float, ...]
    outcome: tuple[tuple[str, ...], ...]
    """[importance][density]: "absent", "alone" (it took the dimension) or "shared" (superposition)."""
    norm: torch.Tensor  # [importance, density] squared norm of the second feature, 0 to about 1
    interference: torch.Tensor  # [importance, density] its squared overlap with the first


def phase_change(densities: Sequence[float], importances: Sequence[float], settings: ToySettings) -> PhaseDiagram:
    """Two features, one dimension; the second has the given importance relative to the first.

    Each cell is the best of four models, since a toy may get stuck. Source: "Superposition as a phase change".
    """
    tries = 4
    cells = [(i, d) for i in importances for d in densities for _ in range(tries)]
    chosen = settings.model_copy(update={"n_features": 2, "n_hidden": 1})
    weights = torch.tensor([[1.0, i] for i, _ in cells])
    models = train_toys(torch.tensor([d for _, d in cells]), weights, chosen)
    best = models.loss.view(-1, tries).argmin(1) + torch.arange(len(cells) // tries) * tries
    shape = len(importances), len(densities)
    norm, overlap = models.norms[best, 1].view(shape), models.interference[best, 1].view(shape)
    words = tuple(
        tuple(_outcome(float(a), float(b)) for a, b in zip(*rows, strict=True))
        for rows in zip(norm, overlap, strict=True)
    )
    return PhaseDiagram(tuple(densities), tuple(importances), words, norm, overlap)


def _outcome(norm: float, interference: float) -> str:
    if norm < ABSENT:
        return "absent"
    return "alone" if interference < ALONE else "shared"
