"""Synthetic activations whose true features are known: a phantom for dictionaries.

Features are random unit directions in a space that is too small for them. Each fires at its own rate,
in groups that fire together, and some only when their parent fires (hierarchy). What a dictionary
recovers is scored against the truth in ``quality.recovery``.

After SynthSAEBench (SAELens) in what is varied; the construction is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from brainscan.activations.stream import ActivationBatch
from brainscan.core.address import Site
from brainscan.core.evidence import Finite, Record
from brainscan.core.provenance import sha256_of_json

SITE = Site("resid_post", 0)
"""Where a phantom stream says that its activations come from."""


class World(Record):
    """How synthetic activations are made."""

    n_features: int = 64
    d: int = 32
    rate: Finite = 0.05
    """Firing rate of the most frequent feature, 0 to 1."""
    decay: Finite = 0.0
    """Rates fall as rank ** -decay: 0 is equal rates, 1 is Zipf's law."""
    groups: int = 0
    """Above 0: features are dealt into so many groups whose members tend to fire together."""
    correlation: Finite = 0.0
    """Share of a feature's firing that follows its group's shared coin, 0 to 1."""
    children: Finite = 0.0
    """Share of the features, the last ones, that fire only when their parent fires, 0 to 1."""
    slope: Finite = 0.0
    """Above 0: directions lean towards the first dimensions, whose spread falls as (1 + index) ** -slope, as
    activations of language models do; 0 is a round world."""
    noise: Finite = 0.0
    """Spread of Gaussian noise in every dimension."""
    offset: Finite = 0.0
    """Norm of a constant that is added to every activation."""
    seed: int = 0


@dataclass(frozen=True)
class Drawn:
    """Synthetic activations with what made them."""

    x: torch.Tensor  # [n, d]
    codes: torch.Tensor  # [n, F] >= 0, the true codes


class FeatureWorld:
    """The true features of a ``World``.

    ``directions`` [F, d] rows of norm 1; ``rates`` [F] how often each feature's own coin falls;
    ``parents`` [F] index of a feature's parent or -1; ``expected_rates`` [F] how often it fires.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        generator = torch.Generator().manual_seed(world.seed)
        lean = (1 + torch.arange(world.d).float()) ** -world.slope
        rows = torch.randn(world.n_features, world.d, generator=generator) * lean
        self.directions = rows / rows.norm(dim=1, keepdim=True)
        self.rates = world.rate * torch.arange(1, world.n_features + 1).float() ** -world.decay
        self.groups = torch.arange(world.n_features) % max(1, world.groups)
        self.offset = torch.randn(world.d, generator=generator)
        self.offset *= world.offset / self.offset.norm()
        self.parents = torch.full((world.n_features,), -1)
        n_children = int(world.children * world.n_features)
        if n_children:
            heads = world.n_features - n_children
            self.parents[heads:] = torch.arange(n_children) % heads
            self.rates[heads:] = 0.5  # given that the parent fires

    @property
    def expected_rates(self) -> torch.Tensor:
        """How often each feature fires [F], exactly."""
        own = self.rates.clone()
        has = self.parents >= 0
        own[has] = own[has] * own[self.parents[has]]
        return own

    def draw(self, n: int, seed: int) -> Drawn:
        """n activations; equal seeds give equal ones."""
        world, generator = self.world, torch.Generator().manual_seed(hash_seed(self.world.seed, seed))
        coins = torch.rand(n, world.n_features, generator=generator)
        if world.groups and world.correlation:
            shared = torch.rand(n, world.groups, generator=generator)[:, self.groups]
            follows = torch.rand(n, world.n_features, generator=generator) < world.correlation
            coins = torch.where(follows, shared, coins)  # each coin stays uniform, so rates stay what they are
        fires = coins < self.rates
        has = self.parents >= 0
        fires[:, has] &= fires[:, self.parents[has]]
        codes = fires * (0.5 + torch.rand(n, world.n_features, generator=generator))
        noise = world.noise * torch.randn(n, world.d, generator=generator)
        return Drawn(codes @ self.directions + self.offset + noise, codes)


class PhantomStream:
    """A stream of synthetic activations for ``train``: batch i is drawn from seed i, so it resumes exactly."""

    def __init__(self, truth: FeatureWorld, batch: int, batches: int, at: int = 0) -> None:
        self.truth, self.batch, self.batches, self.at = truth, batch, batches, at
        self.identity = sha256_of_json([truth.world.model_dump(), batch, batches])
        self.widths: Mapping[Site, int] = {SITE: truth.world.d}

    def __iter__(self) -> Iterator[ActivationBatch]:
        while self.at < self.batches:
            x = self.truth.draw(self.batch, self.at).x
            self.at += 1
            yield ActivationBatch({SITE: x}, torch.zeros(len(x), dtype=torch.int32))

    def state(self) -> PhantomState:
        """Where it stands."""
        return PhantomState(at=self.at)


class PhantomState(Record):
    """Position of a phantom stream."""

    at: int = 0


def hash_seed(a: int, b: int) -> int:
    """One seed of two, far apart for near pairs."""
    return (a * 0x9E3779B97F4A7C15 + b * 0xBF58476D1CE4E5B9 + 1) % (1 << 63)
