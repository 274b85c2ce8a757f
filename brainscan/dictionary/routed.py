"""The routed encoder: for wide dictionaries, most pre-activations are never computed.

Pre-activations of all features are guessed from a few dimensions (``Settings.sketch``, r of d), the best
guesses are proposed, and only proposals are computed exactly. Codes have their exact values; what can
go wrong is that a feature was not proposed, which ``recall`` measures.

1. guess    tokens: x @ A [n, r] times W_enc^T @ B [F, r], tile by tile of features
2. propose  the best ``PROPOSALS * k / tiles`` guesses of each tile
3. rescore  tiles: exact products of the proposals, each encoder row read once
4. select   tokens: the largest exact codes

A and B make guesses the best of rank r: with covariance S of the inputs and P of the encoder's columns,
U holds the leading eigenvectors of S^1/2 P S^1/2, A = S^-1/2 U and B = S^1/2 U. This is cheap because
activations of language models are far from round: a few directions carry most of every product. On
round data a sketch guesses badly; ``recall`` says so.

The product costs r / d of the exact one, and 3 costs the same at any width. Two-stage maximum inner
product search; the optimal pair is the reduced-rank regression of the exact products (Izenman 1975).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from brainscan.core.errors import UsageError
from brainscan.dictionary import kernels
from brainscan.dictionary.dictionary import Codes
from brainscan.dictionary.kernels import F32, SparseCodes, empty_codes
from brainscan.dictionary.pool import Pool
from brainscan.dictionary.protocol import StepReport, Task
from brainscan.dictionary.sparse import CHUNK, SparseLearner, Work, cut_batch, rows_of

TILE = 8192
"""Features guessed at once, so that guesses are still in the cache when they are compared."""

PROPOSALS = 16
"""Proposals a token, in multiples of k."""

TURN = 500
"""Steps between new directions A and B; the first time at a tenth of it, when columns have begun to settle."""

REFRESH = 8
"""Steps between refreshed sketches of the encoder: between them a column moves by less than the guess is off."""


class RoutedLearner(SparseLearner):
    """A sparse learner that guesses which pre-activations are worth computing.

    Raises:
        UsageError: the sketch is not smaller than the input, or the width is no multiple of the tile.
    """

    def __init__(self, task: Task, y: torch.Tensor, pool: Pool) -> None:
        super().__init__(task, y, pool)
        width, d = task.settings.n_features, task.shape.d_in
        self.tile = min(TILE, width)
        self.tiles = width // self.tile
        if task.settings.sketch >= d or width % self.tile:
            raise UsageError(
                f"A sketch of {task.settings.sketch} of {d} dimensions and {width} features saves nothing.",
                f"Use a sketch of about d / 9 and a multiple of {TILE} features.",
            )
        self.reader = np.eye(d, task.settings.sketch, dtype=np.float32)  # A [d, r]
        self.writer = self.reader.copy()  # B [d, r]
        self.short = np.zeros((width, task.settings.sketch), np.float32)  # W_enc^T @ B
        self._proposed: SparseCodes | None = None

    def step(self, x: torch.Tensor, y: torch.Tensor, rate: float) -> StepReport:
        """One update; now and then the sketch is made anew first."""
        if self.steps.number == 0 or self.steps.number % TURN == TURN // 10:
            self._turn(np.ascontiguousarray(x.float().numpy()))
        if self.steps.number % REFRESH == 0 or self.steps.number % TURN == TURN // 10:
            self._sketch()
        return super().step(x, y, rate)

    def _read_and_write(self, raw_x: F32, raw_y: F32, work: Work) -> None:
        chunks = [slice(i, min(i + CHUNK, work.n)) for i in range(0, work.n, CHUNK)]
        proposed, score = self._proposals(work.n)
        self.pool.run(lambda rows: self._propose(self._read(raw_x, work, rows), proposed, rows), chunks)
        self.pool.run(lambda i: self._rescore(work, proposed, score, i), range(self.tiles))

        def select(rows: slice) -> None:
            codes = rows_of(work.codes, rows)
            side = np.empty((codes.active.size, self.tiles * score.shape[2]), np.float32)
            kernels.beside(np.ascontiguousarray(score[:, rows]), side)
            kernels.select_top(side, np.zeros(side.shape[1], np.float32), codes.feature.shape[1], codes)
            kernels.name_features(codes, np.ascontiguousarray(proposed.feature[:, rows]), self.tile)

        self.pool.run(select, chunks)
        if self.task.kind.selection == "batch":
            cut_batch(work.codes, work.n * self.task.settings.k)
        self.pool.run(lambda rows: self._write(raw_x, raw_y, work, rows), chunks)

    def _propose(self, x: F32, proposed: SparseCodes, rows: slice) -> None:
        """Phases 1 and 2 for some tokens."""
        seen = x @ self.reader
        guess = self._guesses(len(x))
        for i in range(self.tiles):
            mine = slice(i * self.tile, (i + 1) * self.tile)
            np.matmul(seen, self.short[mine].T, out=guess)
            codes = SparseCodes(proposed.feature[i, rows], proposed.value[i, rows], proposed.active[i, rows])
            kernels.select_top(guess, self.small["b_enc"].weight[mine], codes.feature.shape[1], codes)

    def _rescore(self, work: Work, proposed: SparseCodes, score: F32, i: int) -> None:
        """Phase 3 for one tile of features."""
        mine = slice(i * self.tile, (i + 1) * self.tile)
        codes = SparseCodes(proposed.feature[i], proposed.value[i], proposed.active[i])
        kernels.rescore(codes, self.matrices.encoder.weight[mine], self.small["b_enc"].weight[mine], work.x, score[i])

    def _turn(self, raw_x: F32) -> None:
        """New directions from this batch's inputs and the present encoder."""
        self.settle()
        x = raw_x * np.float32(self.task.scale_in)
        if self.task.kind.centre:
            x -= self.small["b_dec"].weight
        S = x.T.astype(np.float64) @ x / len(x)
        W = self.matrices.encoder.weight
        P = (W.T @ W).astype(np.float64) / len(W)
        values, vectors = np.linalg.eigh(S)
        values = np.maximum(values, 1e-6 * values.max())
        root, inverse = (vectors * values**power @ vectors.T for power in (0.5, -0.5))
        U = np.linalg.eigh(root @ P @ root)[1][:, ::-1][:, : self.task.settings.sketch]
        self.reader = (inverse @ U).astype(np.float32)
        self.writer = (root @ U).astype(np.float32)

    def _sketch(self) -> None:
        """Short encoder rows W_enc^T @ B."""

        def one(i: int) -> None:
            mine = slice(i * self.tile, (i + 1) * self.tile)
            np.matmul(self.matrices.encoder.weight[mine], self.writer, out=self.short[mine])

        with self.pool.blas_alone():
            self.pool.run(one, range(self.tiles))

    def _proposals(self, n: int) -> tuple[SparseCodes, F32]:
        """Room for proposals [tiles, n, each] and their exact scores, kept between steps."""
        if self._proposed is None or self._proposed.active.shape[1] != n:
            each = max(1, PROPOSALS * self._room(n).codes.feature.shape[1] // self.tiles)
            flat, shape = empty_codes(self.tiles * n, min(each, self.tile)), (self.tiles, n)
            self._proposed = SparseCodes(
                flat.feature.reshape(*shape, -1), flat.value.reshape(*shape, -1), flat.active.reshape(shape)
            )
            self._score = np.empty_like(self._proposed.value)
        return self._proposed, self._score

    def _guesses(self, n: int) -> F32:
        if not hasattr(self._local, "guess"):
            self._local.guess = np.empty((CHUNK, self.tile), np.float32)
        return self._local.guess[:n]

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {**super().state(), "reader": self.reader, "writer": self.writer, "short": self.short}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a ``state``."""
        super().restore(state)
        for name in ("reader", "writer", "short"):
            getattr(self, name)[...] = state[name]


def recall(exact: Codes, routed: Codes) -> float:
    """Share of the exact codes' summed value that the routed codes also found, 0 to 1 (1: nothing was missed)."""
    whole, found = exact.dense(), routed.dense() > 0
    return float((whole * found).sum() / whole.sum().clamp(min=1e-12))
