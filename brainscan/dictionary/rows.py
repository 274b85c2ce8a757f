"""Gradients of the weights and their Adam step in one visit a row: no gradient matrix ever exists.

A row of W_enc (transposed, [F, d]) or W_dec that no token of the batch used has gradient 0. Dense Adam
would still move it by its momentum. Here that movement is owed and paid at the row's next visit, all
skipped steps at once:

    owed = -S * m / sqrt(v),   S = sum over the skipped steps j of lr_j * sqrt(1-b2^j)/(1-b1^j) * (b1/sqrt(b2))^j
    m <- b1^gap * m,           v <- b2^gap * v

This is dense Adam exactly, but for (a) epsilon, which is taken once instead of at each skipped step,
(b) decoder rows, which are brought back to norm 1 once instead of at each skipped step, (c) forward
passes in between, which read the row before it has paid, and (d) gaps above ``REACH``, which are paid at
the learning rate of ``REACH`` steps ago. ``settle_rows`` pays for all rows; it runs
before every checkpoint and before a dictionary is handed out.

Source of Adam: Kingma & Ba (arXiv 1412.6980), algorithm 1, in the arrangement of torch.optim.Adam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit

from brainscan.dictionary.kernels import F32, FAST, Array, Pairs

REACH = 320
"""Skipped steps that still matter: (0.9 / sqrt(0.999)) ** 320 is 3e-15."""


class Rows(NamedTuple):
    """One matrix with its Adam moments, a feature a row."""

    weight: F32  # [F, d]
    mean: F32  # [F, d]
    square: F32  # [F, d]


class Step(NamedTuple):
    """The numbers of one Adam step."""

    number: int  # counted from 1
    rate: np.float32  # lr / (1 - b1^t)
    root: np.float32  # 1 / sqrt(1 - b2^t)
    beta1: np.float32
    beta2: np.float32
    eps: np.float32
    owed: Array  # [REACH + 1] float64: S for each gap that ends before this step


class Sorted(NamedTuple):
    """Pairs in the order of their features."""

    offsets: Array  # [F + 1]
    order: Array  # [p]
    pairs: Pairs


class Matrices(NamedTuple):
    """Everything that a visit to a feature changes."""

    encoder: Rows
    decoder: Rows
    visited: Array  # [F] int64, the last step paid
    bias_grad: F32  # [F] out: d loss / d b_enc


@dataclass
class Steps:
    """Counts Adam steps and keeps the table of what skipped steps owe."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    number: int = 0
    owed: Array = field(default_factory=lambda: np.zeros(REACH + 1))

    def take(self, rate: float) -> Step:
        """The numbers of the next step at learning rate ``rate``."""
        self.number += 1
        first, second = 1 - self.beta1**self.number, 1 - self.beta2**self.number
        made = Step(
            self.number,
            np.float32(rate / first),
            np.float32(1 / math.sqrt(second)),
            np.float32(self.beta1),
            np.float32(self.beta2),
            np.float32(self.eps),
            self.owed.copy(),
        )
        shrink = self.beta1 / math.sqrt(self.beta2)
        gaps = np.arange(1, REACH + 1)
        self.owed[1:] = self.owed[:-1] + shrink**gaps * (rate * math.sqrt(second) / first)
        return made

    def now(self) -> Step:
        """A step that moves nothing, to settle with."""
        zero = np.float32(0)
        betas = np.float32(self.beta1), np.float32(self.beta2)
        return Step(self.number + 1, zero, zero, *betas, np.float32(self.eps), self.owed.copy())


def fresh_rows(weight: F32) -> Rows:
    """Rows with moments 0."""
    return Rows(weight, np.zeros_like(weight), np.zeros_like(weight))


def move(of: Rows, grad: F32, step: Step) -> None:
    """Plain Adam step, in place, of something small whose every value has a gradient (biases, a skip path)."""
    one = np.float32(1)
    of.mean[...] = step.beta1 * of.mean + (one - step.beta1) * grad
    of.square[...] = step.beta2 * of.square + (one - step.beta2) * grad * grad
    of.weight[...] -= step.rate * of.mean / (np.sqrt(of.square) * step.root + step.eps)


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def visit_rows(span: tuple[int, int], pairs: Sorted, error: F32, x: F32, of: Matrices, step: Step, back: F32) -> None:
    """Gradient and Adam step of the features in ``span`` that have pairs.

    W_dec[f] gets the sum of value * error[error_row], W_enc[f] the sum of slope * x[x_row]; values and
    slopes carry the loss's factor already. The decoder's gradient loses its part along the row, and the
    row keeps norm 1. ``back`` [d_in] receives the gradient of the encoder's inputs, summed over tokens.
    """
    to_dec = np.empty(error.shape[1], np.float32)
    to_enc = np.empty(x.shape[1], np.float32)
    for f in range(span[0], span[1]):
        lo, hi = pairs.offsets[f], pairs.offsets[f + 1]
        if lo == hi:
            of.bias_grad[f] = 0
            continue
        to_dec[:] = 0
        to_enc[:] = 0
        chosen = pairs.order[lo:hi]
        _gather(chosen, pairs.pairs.value, pairs.pairs.error_row, error, to_dec)
        _gather(chosen, pairs.pairs.slope, pairs.pairs.x_row, x, to_enc)
        total = np.float32(0)
        for p in chosen:
            total += pairs.pairs.slope[p]
        of.bias_grad[f] = total
        for i in range(back.size):
            back[i] += total * of.encoder.weight[f, i]
        gap = step.number - 1 - of.visited[f]
        if gap > 0:
            _pay(of.encoder, f, gap, step)
            _pay(of.decoder, f, gap, step)
        _remove_along(to_dec, of.decoder.weight[f])
        _adam(of.encoder, f, to_enc, step)
        _adam(of.decoder, f, to_dec, step)
        _to_unit(of.decoder.weight[f])
        of.visited[f] = step.number


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def settle_rows(span: tuple[int, int], of: Matrices, step: Step) -> None:
    """Pay what the features in ``span`` owe up to the step before ``step``."""
    for f in range(span[0], span[1]):
        gap = step.number - 1 - of.visited[f]
        if gap > 0:
            _pay(of.encoder, f, gap, step)
            _pay(of.decoder, f, gap, step)
            _to_unit(of.decoder.weight[f])
            of.visited[f] = step.number - 1


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _gather(chosen: Array, factor: F32, row: Array, table: F32, acc: F32) -> None:
    """acc += sum of factor[p] * table[row[p]], two rows at a time."""
    n, d, j = chosen.size, acc.size, 0
    while j + 2 <= n:
        p, q = chosen[j], chosen[j + 1]
        a, b, u, w = table[row[p]], table[row[q]], factor[p], factor[q]
        for i in range(d):
            acc[i] += u * a[i] + w * b[i]
        j += 2
    if j < n:
        p = chosen[j]
        a, u = table[row[p]], factor[p]
        for i in range(d):
            acc[i] += u * a[i]


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _adam(rows: Rows, f: int, grad: F32, step: Step) -> None:
    weight, mean, square = rows.weight[f], rows.mean[f], rows.square[f]
    one = np.float32(1)
    keep1, keep2 = step.beta1, step.beta2
    for i in range(grad.size):
        g = grad[i]
        m = keep1 * mean[i] + (one - keep1) * g
        v = keep2 * square[i] + (one - keep2) * g * g
        mean[i], square[i] = m, v
        weight[i] -= step.rate * m / (math.sqrt(v) * step.root + step.eps)


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _pay(rows: Rows, f: int, gap: int, step: Step) -> None:
    weight, mean, square = rows.weight[f], rows.mean[f], rows.square[f]
    owed = np.float32(step.owed[min(gap, REACH)])
    fade1, fade2 = np.float32(float(step.beta1) ** gap), np.float32(float(step.beta2) ** gap)
    for i in range(weight.size):
        weight[i] -= owed * mean[i] / (math.sqrt(square[i]) + step.eps)
        mean[i] *= fade1
        square[i] *= fade2


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _remove_along(grad: F32, row: F32) -> None:
    along, norm = np.float32(0), np.float32(0)
    for i in range(row.size):
        along += grad[i] * row[i]
        norm += row[i] * row[i]
    along /= max(norm, np.float32(1e-12))
    for i in range(row.size):
        grad[i] -= along * row[i]


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _to_unit(row: F32) -> None:
    norm = np.float32(0)
    for i in range(row.size):
        norm += row[i] * row[i]
    scale = np.float32(1) / max(math.sqrt(norm), np.float32(1e-6))
    for i in range(row.size):
        row[i] *= scale
