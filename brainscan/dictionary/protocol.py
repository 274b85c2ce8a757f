"""The promise of a kind of dictionary, and what a learner says after each step.

A kind is a stateless object: it draws the first parameters, states the loss in plain torch, and turns
parameters into a ``Dictionary``. ``dense`` trains any kind by autograd on any device. A kind that names
a ``selection`` is also trained by ``sparse``, which computes the same step without dense products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import torch

from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.settings import Settings

Parameters = dict[str, torch.Tensor]
"""Trainable tensors by name, in the orientation of ``Dictionary``."""

Selection = Literal["token", "batch"]
"""token: the k largest codes of each token. batch: the n * k largest of the batch of n tokens."""


@dataclass(frozen=True)
class Shape:
    """What is read and written, several sites side by side."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    d_in: int
    d_out: int


@dataclass(frozen=True)
class Running:
    """What a learner knows beyond the parameters. A kind may read it and never changes it."""

    shape: Shape
    dead: torch.Tensor  # [n_features] bool
    pressure: float = 1.0
    """Weight of the sparsity loss, led towards an L0 of k by the learner."""
    threshold: float = 0.0
    """Running mean of the smallest code that a batch-wise selection kept."""
    scale_in: float = 1.0
    scale_out: float = 1.0


@dataclass(frozen=True)
class Loss:
    """What a batch costs. Means are over tokens, squares are summed over dimensions."""

    total: torch.Tensor  # scalar, differentiable
    written: torch.Tensor  # [n, d_out] reconstruction or prediction
    codes: torch.Tensor  # [n, n_features] >= 0


@dataclass(frozen=True)
class StepReport:
    """How one step went, before its update."""

    squared_error: float
    """Sum over tokens and dimensions, in the units of what is written, after normalisation."""
    l0: float
    """Active features a token."""
    dead: int
    """Features that have not fired for longer than the patience."""


@runtime_checkable
class Kind(Protocol):
    """One kind of dictionary."""

    name: str
    selection: Selection | None
    """How ``sparse`` picks codes; None: this kind trains densely only."""
    centre: bool
    """Whether ``b_dec`` is taken off the input before the encoder (autoencoders: yes, transcoders: no)."""

    def begin(self, shape: Shape, settings: Settings, y: torch.Tensor, generator: torch.Generator) -> Parameters:
        """First parameters, drawn from ``generator``; ``y`` [n, d_out] is the first batch, to place the bias."""
        ...

    def loss(self, p: Parameters, x: torch.Tensor, y: torch.Tensor, settings: Settings, running: Running) -> Loss:
        """The loss of a batch x [n, d_in], y [n, d_out], both already scaled."""
        ...

    def finish(self, p: Parameters, settings: Settings, running: Running) -> Dictionary | DictionarySet:
        """The dictionary that the parameters are. It shares no memory with them."""
        ...


@dataclass(frozen=True)
class Task:
    """One dictionary to be trained."""

    kind: Kind
    shape: Shape
    settings: Settings
    patience: int
    """Tokens without firing that make a feature dead."""
    scale_in: float = 1.0
    """What inputs are multiplied by, so that their mean norm is sqrt(d_in)."""
    scale_out: float = 1.0
    """What targets are multiplied by, likewise."""


class Learner(Protocol):
    """Trains one dictionary, a batch at a time."""

    def step(self, x: torch.Tensor, y: torch.Tensor, rate: float) -> StepReport:
        """One update on x [n, d_in] and y [n, d_out] at learning rate ``rate``."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on: arrays and numbers by name."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a ``state``: the next step equals the one that would have followed it, bit for bit."""
        ...

    def dictionary(self) -> Dictionary | DictionarySet:
        """The dictionary as it is now."""
        ...
