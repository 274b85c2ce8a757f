"""Random direction: steering of the same size along a direction drawn at random. A baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import torch

from brainscan.treatment.kinds.steer import Steer


@dataclass(frozen=True, eq=False)
class RandomDirection(Steer):
    """Adds a random vector at each site."""

    kind: ClassVar[str] = "random"
    permanent: ClassVar[bool] = False

    @classmethod
    def of_norms(cls, norms: Mapping[str, float], width: int, seed: int = 0) -> Self:
        """Vectors of the norms given, site by site, in directions drawn from the seed."""
        generator = torch.Generator().manual_seed(seed)
        vectors = {}
        for site, norm in norms.items():
            drawn = torch.randn(width, generator=generator)
            vectors[site] = norm * drawn / drawn.norm()
        return cls(vectors)

    def words(self) -> str:
        """What it does."""
        return f"{self.dose:.3g} times a random direction added at {', '.join(self.vectors)}"
