"""Which features are alive, and a new start for those that are not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.dictionary.kernels import F32, Array

PRESSURE_STEP = 0.01
"""Largest relative change of the sparsity pressure a step."""

THRESHOLD_RATE = 0.01
"""Weight of the newest batch in the running threshold. Source: SAELens's topk_threshold_lr."""

RESTART_NORM = 0.2
"""Norm of a restarted encoder column, relative to the living's mean. Source: Bricken et al. 2023."""


@dataclass
class Pulse:
    """What is counted while a dictionary trains."""

    quiet: NDArray[np.int64]  # [F] tokens since each feature last fired
    pressure: float = 1.0
    threshold: float = 0.0
    batches: int = 0

    def dead(self, patience: int) -> NDArray[np.bool_]:
        """Features [F] that have been quiet for longer than ``patience`` tokens."""
        return self.quiet > patience

    def beat(self, fired: NDArray[np.bool_], tokens: int, smallest: float) -> None:
        """Count a batch: who fired, and the smallest code that was kept (0 if there was none)."""
        self.quiet += tokens
        self.quiet[fired] = 0
        self.batches += 1
        # Early batches count more, so that the first threshold is not a mean with 0.
        weight = max(THRESHOLD_RATE, 1 / self.batches)
        self.threshold += weight * (smallest - self.threshold)

    def lead(self, l0: float, k: int) -> None:
        """Turn the sparsity pressure up when more than k features fire, down when fewer."""
        off = math.log(max(l0, 1e-3) / k)
        self.pressure *= math.exp(PRESSURE_STEP * max(-1.0, min(1.0, off)))


@dataclass(frozen=True)
class Restart:
    """New rows for dead features."""

    features: Array  # [r]
    encoder: F32  # [r, d_in]
    decoder: F32  # [r, d_out]


def restart(dead: NDArray[np.bool_], x: F32, error: F32, living_norm: float, rng: np.random.Generator) -> Restart:
    """Point dead features at badly reconstructed tokens, drawn with probability of their squared error squared.

    Args:
        x: what the encoder read [n, d_in].
        error: reconstruction minus target [n, d_out].
        living_norm: mean norm of the living encoder columns.

    Source: Bricken et al. 2023, "Neuron resampling"; the decoder takes the residual instead of the input,
    which also suits transcoders.
    """
    weight = np.square(error.astype(np.float64)).sum(1) ** 2
    chosen = np.flatnonzero(dead)[: x.shape[0]]
    if weight.sum() == 0:
        chosen = chosen[:0]
    rows = rng.choice(x.shape[0], size=chosen.size, p=weight / max(weight.sum(), 1e-300)) if chosen.size else chosen
    return Restart(chosen, RESTART_NORM * np.float32(living_norm) * _unit(x[rows]), _unit(-error[rows]))


def due(tokens_before: int, tokens_now: int, patience: int) -> bool:
    """Whether the run has just crossed a multiple of the patience: the moments at which features restart."""
    return tokens_before // patience != tokens_now // patience


def _unit(rows: F32) -> F32:
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)).astype(np.float32)
