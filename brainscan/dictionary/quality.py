"""The judge: how sparse, how faithful and how well used a dictionary is, each number with its words and range.

What it does to the subject's predictions is in ``behaviour``, what concepts its features hold in
``sparse_probing``, how it compares with known features or another seed in ``recovery``. Definitions follow SAEBench
as intended, not as coded where it errs (explained variance: anchors/interp.md section 0, point 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import torch

from brainscan.core.errors import InputError
from brainscan.core.evidence import Measurement
from brainscan.dictionary.dictionary import Dictionary

DENSE = 0.1
"""A feature that fires on more than this share of the tokens is called dense. Source: SAEBench, freq_over_10_percent."""

OUTLYING = 10.0
"""Tokens whose norm is so many times their batch's median are set aside and counted: attention sinks, rare beyond the
first token, whose squared error would drown all others. Source: dictionary_learning, max_activation_norm_multiple."""

COSINE_BLOCK = 2048
"""Decoder rows compared at once, to bound memory."""


@dataclass
class Tally:
    """Sums over tokens, in float64; every measure is a quotient of these."""

    n: int = 0
    l0: float = 0.0
    l1: float = 0.0
    squared_error: float = 0.0
    cosine: float = 0.0
    norm_ratio: float = 0.0
    dot: float = 0.0
    norm_written: float = 0.0
    shift: torch.Tensor | None = None  # [d] near the mean, so that squares do not cancel
    total: torch.Tensor = field(default_factory=lambda: torch.zeros(1, dtype=torch.float64))  # [d]
    squares: float = 0.0
    fired: torch.Tensor = field(default_factory=lambda: torch.zeros(1, dtype=torch.int64))  # [F]

    @property
    def spread(self) -> float:
        """Sum of squared deviations from the mean, over tokens and dimensions."""
        return self.squares - float(self.total.square().sum()) / max(1, self.n)

    def add(self, y: torch.Tensor, written: torch.Tensor, codes: torch.Tensor) -> None:
        """Count a batch: targets and reconstructions [n, d], codes [n, F]."""
        y, written = y.double(), written.double()
        if self.shift is None:
            self.shift = y.mean(0)
        off = y - self.shift
        self.n += len(y)
        self.l0 += float((codes > 0).sum())
        self.l1 += float(codes.double().sum())
        self.squared_error += float((y - written).square().sum())
        norms, norms_written = y.norm(dim=1), written.norm(dim=1)
        dots = (y * written).sum(1)
        self.cosine += float((dots / (norms * norms_written).clamp(min=1e-12)).sum())
        self.norm_ratio += float((norms_written / norms.clamp(min=1e-12)).sum())
        self.dot += float(dots.sum())
        self.norm_written += float(norms_written.square().sum())
        self.total = self.total + off.sum(0)
        self.squares += float(off.square().sum())
        self.fired = self.fired + (codes > 0).sum(0)


def explained_variance(y: torch.Tensor, written: torch.Tensor) -> float:
    """1 - sum of squared errors / sum of squared deviations from the mean, of rows [n, d].

    At most 1 (perfect); 0 for the mean alone; below 0 for worse than the mean. Scaling both changes nothing.
    """
    tally = Tally()
    tally.add(y, written, torch.zeros(len(y), 1))
    return 1 - tally.squared_error / max(tally.spread, 1e-300)


def measure(dictionary: Dictionary, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> tuple[Measurement, ...]:
    """Judge a dictionary on activations that it was not trained on.

    Args:
        batches: pairs of what is read [n, d_in] and what should be written [n, d_out]; equal for autoencoders.

    Raises:
        InputError: there is no token.
    """
    tally, outlying = Tally(), 0
    for x, y in batches:
        kept = ~(outliers(x) | outliers(y))
        outlying += int((~kept).sum())
        codes = dictionary.encode(x[kept])
        tally.add(y[kept], dictionary.decode(codes, x[kept]), codes)
    if not tally.n:
        raise InputError("There are no activations to judge the dictionary on.", "Give at least one batch.")
    return (*_faithful(tally), *_sparse(tally), *_used(tally, dictionary), _set_aside(outlying, tally.n + outlying))


def outliers(x: torch.Tensor) -> torch.Tensor:
    """[n] which rows of x [n, d] are ``OUTLYING`` times as long as the median row; none where that is 0."""
    norms = x.norm(dim=1)
    median = norms.median()
    return (norms > OUTLYING * median) & (median > 0)


def _faithful(tally: Tally) -> tuple[Measurement, ...]:
    n = tally.n
    variance = 1 - tally.squared_error / max(tally.spread, 1e-300)
    bias = tally.norm_written / tally.dot if tally.dot else 0.0
    return (
        _said("explained_variance", variance, "share", n, "better",
              "Share of the variance that the reconstruction keeps: at most 1, 0 is no better than the mean, below 0 worse."),
        _said("mse", tally.squared_error / n, "squared", n, "worse",
              "Squared error summed over dimensions, mean over tokens: 0 and up, in squared units of the activations."),
        _said("cosine", tally.cosine / n, "cosine", n, "better",
              "Mean cosine between activation and reconstruction: -1 to 1, 1 is the same direction."),
        _said("l2_ratio", tally.norm_ratio / n, "ratio", n, "neither",
              "Mean norm of the reconstruction over that of the activation: 0 and up, 1 is none lost; below 1 is shrinkage."),
        _said("relative_reconstruction_bias", bias, "ratio", n, "neither",
              "Squared norm of reconstructions over their product with activations (Gated SAE, eq. 10): 1 is unbiased, "
              "below 1 is shrinkage."),
    )  # fmt: skip


def _sparse(tally: Tally) -> tuple[Measurement, ...]:
    n = tally.n
    return (
        _said("l0", tally.l0 / n, "features", n, "neither",
              "Features active at once, mean over tokens: 0 to the number of features; 20 to 200 is usual."),
        _said("l1", tally.l1 / n, "sum", n, "neither", "Summed codes a token, mean over tokens: 0 and up."),
    )  # fmt: skip


def _used(tally: Tally, dictionary: Dictionary) -> tuple[Measurement, ...]:
    rate = tally.fired.double() / tally.n
    width = dictionary.n_features
    return (
        _said("dead", float((rate == 0).double().mean()), "share", width, "worse",
              "Share of the features that never fired on these texts: 0 to 1; more text may wake some."),
        _said("dense", float((rate > DENSE).double().mean()), "share", width, "worse",
              "Share of the features that fire on more than a tenth of the tokens: 0 to 1; such features rarely mean one thing."),
        _said("freq_over_1_percent", float((rate > 0.01).double().mean()), "share", width, "neither",
              "Share of the features that fire on more than a hundredth of the tokens: 0 to 1."),
        _said("decoder_cosine", decoder_cosine(dictionary.W_dec), "cosine", width, "worse",
              "Largest cosine of a feature's decoder row with another's, mean over features: -1 to 1; near 1 is doubles."),
    )  # fmt: skip


def _set_aside(outlying: int, n: int) -> Measurement:
    return _said("outliers", outlying / n, "share", n, "neither",
                 f"Share of tokens of {OUTLYING:g} times the median norm, which no number above counts: 0 to 1, mostly below 0.001.")  # fmt: skip


def decoder_cosine(W_dec: torch.Tensor) -> float:
    """Mean over features of the largest cosine with another row of W_dec [F, d]; 0 for a single feature."""
    if len(W_dec) < 2:
        return 0.0
    rows = W_dec / W_dec.norm(dim=1, keepdim=True).clamp(min=1e-12)
    best = []
    for start in range(0, len(rows), COSINE_BLOCK):
        block = rows[start : start + COSINE_BLOCK] @ rows.t()
        index = torch.arange(len(block))
        block[index, index + start] = -2.0
        best.append(block.max(1).values)
    return float(torch.cat(best).mean())


def _said(
    name: str, value: float, unit: str, n: int, higher_is: Literal["worse", "better", "neither"], meaning: str
) -> Measurement:
    return Measurement(name=f"dictionary.{name}", value=value, unit=unit, n=n, higher_is=higher_is, meaning=meaning)
