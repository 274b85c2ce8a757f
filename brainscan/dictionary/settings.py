"""What a dictionary is trained with. Every default names its source."""

from __future__ import annotations

import math
from typing import Literal

from brainscan.core.evidence import Finite, Record

Revival = Literal["aux", "resample", "none"]
Path = Literal["auto", "sparse", "dense"]


class Settings(Record):
    """Settings of one dictionary. The same record on the same stream gives the same dictionary."""

    kind: str = "batchtopk"
    """Name in the registry of kinds. Source: SAELens ranks BatchTopK, JumpReLU and Matryoshka first."""
    n_features: int = 8192
    k: int = 32
    """Active features a token. topk: exactly; batchtopk and its kin: on average; relu, gated and jumprelu: the
    weight of the sparsity loss follows the L0 towards it. Source: sparsify's default k."""
    lr: Finite | None = None
    """Peak learning rate; None: 2e-4 / sqrt(n_features / 2^14). Source: dictionary_learning, TopK trainer, after
    Gao et al. (arXiv 2406.04093), appendix A.3."""
    warm_up: int | None = None
    """Steps of linear rise; None: 1000 (dictionary_learning), but at most a twentieth of the run."""
    decay_share: Finite = 0.2
    """Share of the steps, at the end, over which the rate falls linearly to 0. Source: Anthropic's recipe, SAELens docs."""
    revival: Revival = "aux"
    """What happens to dead features. aux: they learn the residual (Gao et al. 2406.04093, appendix A.2). resample:
    they restart at badly reconstructed inputs (Bricken et al. 2023, "Neuron resampling")."""
    dead_after: int | None = None
    """Tokens without firing after which a feature counts as dead; None: 10 million (Gao et al.; dictionary_learning),
    but at most an eighth of the run."""
    aux_coefficient: Finite = 1 / 32
    """Weight of the aux loss. Source: Gao et al.; dictionary_learning (SAELens uses 1)."""
    aux_share: Finite = 1 / 8
    """Share of each batch that the aux loss looks at, for speed; its mean is unbiased. Source: ours."""
    widths: tuple[int, ...] = ()
    """Matryoshka prefixes; empty: 1/32, 3/32, 7/32, 15/32 and all of it. Source: dictionary_learning's group fractions."""
    bandwidth: Finite = 0.05
    """JumpReLU: width of the window through which thresholds feel a gradient. Source: SAELens's default."""
    path: Path = "auto"
    """sparse: numba on the CPU. dense: torch autograd on any device. auto: sparse where the kind allows it."""
    sketch: int = 0
    """Above 0: the routed encoder proposes features from so many dimensions, see ``routed``; 0 is the exact one."""
    seed: int = 0

    @property
    def peak_rate(self) -> float:
        """Highest learning rate."""
        return 2e-4 / math.sqrt(self.n_features / 2**14) if self.lr is None else self.lr

    @property
    def prefixes(self) -> tuple[int, ...]:
        """Nested widths, ascending, the last one ``n_features``; (n_features,) for plain kinds."""
        if self.kind != "matryoshka":
            return (self.n_features,)
        shares = (1 / 32, 3 / 32, 7 / 32, 15 / 32)
        chosen = self.widths or tuple(max(1, int(share * self.n_features)) for share in shares)
        return tuple(sorted({*chosen, self.n_features}))

    def rate(self, step: int, steps: int) -> float:
        """Learning rate of step ``step`` (counted from 0) of ``steps``."""
        warm = min(1000, max(1, steps // 20)) if self.warm_up is None else self.warm_up
        left = (steps - step) / max(1.0, self.decay_share * steps)
        return self.peak_rate * min(1.0, (step + 1) / max(1, warm), left)

    def patience(self, tokens: int) -> int:
        """Tokens without firing that make a feature dead, in a run of ``tokens``."""
        return min(10_000_000, max(1, tokens // 8)) if self.dead_after is None else self.dead_after
