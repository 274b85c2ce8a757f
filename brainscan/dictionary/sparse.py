"""The sparse engine: one exact training step on the CPU in which only the encoder's product is dense.

A step has five phases, the same in code and comments:

1. encode   chunks of tokens: product with W_enc, the largest codes kept (``routed`` replaces the product)
2. write    chunks of tokens: k rows of W_dec give the error, and the slope of each code
3. revive   a share of the tokens: dead features learn the error that is left
4. list     all (feature, token) pairs, sorted by feature
5. move     blocks of features: gradient and Adam step of both rows in one visit (``rows``)

The gradient is that of ``SelectingKind.loss``; differences are rounding alone, but for batch-wise kinds,
where a token keeps at most ``4 k`` codes here.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from brainscan.core.errors import UsageError
from brainscan.dictionary import kernels
from brainscan.dictionary.autoencoder import aux_k, aux_rows
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.kernels import F32, I32, Array, SparseCodes
from brainscan.dictionary.pool import Pool
from brainscan.dictionary.protocol import Running, StepReport, Task
from brainscan.dictionary.revive import Pulse, due, restart
from brainscan.dictionary.rows import Matrices, Rows, Sorted, Step, Steps, fresh_rows, move, settle_rows, visit_rows

CHUNK = 256
"""Tokens of one product. Fixed, so that results do not depend on the number of threads."""

BLOCKS = 64
"""Parts into which features are cut for the last phase, of about equal work."""

SPREAD = 4
"""A batch-wise selection looks at the best ``SPREAD * k`` codes of each token."""


@dataclass
class Work:
    """Room for one batch, kept between steps."""

    x: F32  # [n, d_in] what the encoder reads
    target: F32  # [n, d_out] what codes alone must write
    codes: SparseCodes  # [n, k]
    slope: F32  # [n, k]
    error: F32  # [m * n + aux, d_out]
    aux: int
    """Tokens that the aux loss looks at."""

    @property
    def n(self) -> int:
        """Tokens of the batch."""
        return self.x.shape[0]

    def errors(self, m: int) -> F32:
        """Errors of the nested prefixes [m, n, d_out]."""
        return self.error[: m * self.n].reshape(m, self.n, -1)


class SparseLearner:
    """Trains one dictionary of a selecting kind. See the top of the file.

    Args:
        task: what to train.
        y: the first batch of targets [n, d_out], unscaled; it places the output bias.
        pool: threads to run on.

    Raises:
        UsageError: the kind has no selection.
    """

    def __init__(self, task: Task, y: torch.Tensor, pool: Pool) -> None:
        if task.kind.selection is None:
            raise UsageError(
                f"The kind {task.kind.name} does not select codes, so it has no sparse step.", 'Use path="dense".'
            )
        self.task, self.pool = task, pool
        generator = torch.Generator().manual_seed(task.settings.seed)
        first = task.kind.begin(task.shape, task.settings, y.float().cpu() * task.scale_out, generator)
        p = {name: tensor.float().numpy() for name, tensor in first.items()}
        self.widths = np.array(task.settings.prefixes, np.int64)
        self.matrices = Matrices(
            fresh_rows(np.ascontiguousarray(p["W_enc"].T)),
            fresh_rows(np.ascontiguousarray(p["W_dec"])),
            np.zeros(task.settings.n_features, np.int64),
            np.zeros(task.settings.n_features, np.float32),
        )
        self.small = {name: fresh_rows(p[name].copy()) for name in ("b_enc", "b_dec", "W_skip") if name in p}
        self.steps = Steps()
        self.pulse = Pulse(np.zeros(task.settings.n_features, np.int64))
        self.tokens = 0
        self._work: Work | None = None
        self._local = threading.local()

    # --- one step -------------------------------------------------------------------------

    def step(self, x: torch.Tensor, y: torch.Tensor, rate: float) -> StepReport:
        """One update on x [n, d_in] and y [n, d_out], unscaled, at learning rate ``rate``."""
        raw_x, raw_y = _array(x), _array(y)
        step, work = self.steps.take(rate), self._room(len(raw_x))
        with self.pool.blas_alone():
            self._read_and_write(raw_x, raw_y, work)
            dead = self.pulse.dead(self.task.patience)
            pairs = self._pairs(work, self._revive(work, dead))
            back = self._move(work, pairs, step)
        self._move_small(work, back, step)
        return self._count(work, dead)

    def _read_and_write(self, raw_x: F32, raw_y: F32, work: Work) -> None:
        chunks = [slice(i, min(i + CHUNK, work.n)) for i in range(0, work.n, CHUNK)]

        def both(rows: slice) -> None:  # while the chunk's codes and rows are still in the cache
            self._encode(raw_x, work, rows)
            self._write(raw_x, raw_y, work, rows)

        if self.task.kind.selection == "token":
            self.pool.run(both, chunks)
            return
        self.pool.run(lambda rows: self._encode(raw_x, work, rows), chunks)
        cut_batch(work.codes, work.n * self.task.settings.k)
        self.pool.run(lambda rows: self._write(raw_x, raw_y, work, rows), chunks)

    def _encode(self, raw_x: F32, work: Work, rows: slice) -> None:
        self._select(self._read(raw_x, work, rows), rows_of(work.codes, rows))

    def _read(self, raw_x: F32, work: Work, rows: slice) -> F32:
        """What the encoder reads of some tokens: scaled, and without the output's bias where the kind centres."""
        x = work.x[rows]
        np.multiply(raw_x[rows], np.float32(self.task.scale_in), out=x)
        if self.task.kind.centre:
            x -= self.small["b_dec"].weight
        return x

    def _select(self, x: F32, codes: SparseCodes) -> None:
        pre = self._buffer(len(x))
        np.matmul(x, self.matrices.encoder.weight.T, out=pre)
        kernels.select_top(pre, self.small["b_enc"].weight, codes.feature.shape[1], codes)

    def _write(self, raw_x: F32, raw_y: F32, work: Work, rows: slice) -> None:
        target = work.target[rows]
        np.multiply(raw_y[rows], np.float32(self.task.scale_out), out=target)
        target -= self.small["b_dec"].weight
        if "W_skip" in self.small:
            target -= work.x[rows] @ self.small["W_skip"].weight
        codes, errors = rows_of(work.codes, rows), work.errors(len(self.widths))[:, rows]
        kernels.reconstruct(codes, self.widths, self.matrices.decoder.weight, target, errors)
        kernels.slopes(codes, self.widths, self.matrices.decoder.weight, errors, work.slope[rows])

    def _revive(self, work: Work, dead: Array) -> tuple[SparseCodes, F32] | None:
        """Phase 3: codes and slopes of dead features on the error that is left, or None when none is dead."""
        if self.task.settings.revival != "aux" or not dead.any():
            return None
        chosen = self._trying(dead)
        k = min(aux_k(work.target.shape[1]), chosen.size)
        codes = kernels.empty_codes(work.aux, k)
        slope = np.zeros((work.aux, k), np.float32)
        encoder, bias = self.matrices.encoder.weight[chosen], self.small["b_enc"].weight[chosen]
        whole = np.array([len(dead)], np.int64)
        left = -work.errors(len(self.widths))[-1, : work.aux]
        error = work.error[None, len(self.widths) * work.n :]

        def learn(rows: slice) -> None:
            mine = rows_of(codes, rows)
            kernels.select_top(work.x[rows] @ encoder.T, bias, k, mine)
            mine.feature[...] = chosen[mine.feature]
            kernels.reconstruct(mine, whole, self.matrices.decoder.weight, left[rows], error[:, rows])
            kernels.slopes(mine, whole, self.matrices.decoder.weight, error[:, rows], slope[rows])

        self.pool.run(learn, [slice(i, min(i + 64, work.aux)) for i in range(0, work.aux, 64)])
        return codes, slope

    def _trying(self, dead: Array) -> I32:
        """The dead features that the aux loss considers in this step: all of them."""
        return np.flatnonzero(dead).astype(np.int32)

    def _pairs(self, work: Work, aux: tuple[SparseCodes, F32] | None) -> Sorted:
        m, total = len(self.widths), int(work.codes.active.sum())
        pairs = kernels.empty_pairs(total + (0 if aux is None else int(aux[0].active.sum())))
        factor = np.float32(2 / (work.n * m))
        at = kernels.list_pairs(work.codes, work.slope, self.widths, factor, 0, pairs, 0)
        if aux is not None:
            n_dead, k = int(self.pulse.dead(self.task.patience).sum()), aux_k(work.target.shape[1])
            weight = self.task.settings.aux_coefficient * min(1.0, n_dead / k) * 2 / work.aux
            whole = np.array([self.pulse.quiet.size], np.int64)
            kernels.list_pairs(*aux, whole, np.float32(weight), m * work.n, pairs, at)
        return Sorted(*kernels.sort_pairs(pairs.feature, self.pulse.quiet.size), pairs)

    def _move(self, work: Work, pairs: Sorted, step: Step) -> F32:
        """Phase 5; returns the gradient of the encoder's inputs summed over tokens [d_in]."""
        spans = even_spans(pairs.offsets, BLOCKS)
        back = np.zeros((len(spans), work.x.shape[1]), np.float32)

        def visit(i: int) -> None:
            visit_rows(spans[i], pairs, work.error, work.x, self.matrices, step, back[i])

        self.pool.run(visit, range(len(spans)))
        return back.sum(0)

    def _move_small(self, work: Work, back: F32, step: Step) -> None:
        m = len(self.widths)
        error = work.errors(m)[0] * np.float32(2 / (work.n * m))  # [n, d_out], already summed over prefixes
        if "W_skip" in self.small:
            move(self.small["W_skip"], work.x.T @ error, step)
        to_bias = error.sum(0)
        move(self.small["b_dec"], to_bias - back if self.task.kind.centre else to_bias, step)
        move(self.small["b_enc"], self.matrices.bias_grad, step)

    def _count(self, work: Work, dead: Array) -> StepReport:
        codes, before = work.codes, self.tokens
        used = codes.value[codes.value > 0]
        fired = np.zeros(dead.size, bool)
        fired[codes.feature[codes.value > 0]] = True
        self.tokens += work.n
        self.pulse.beat(fired, work.n, float(used.min()) if used.size else 0.0)
        plain = work.errors(len(self.widths))[-1]
        if self.task.settings.revival == "resample" and due(before, self.tokens, self.task.patience):
            self._restart(work, self.pulse.dead(self.task.patience))
        return StepReport(float(np.vdot(plain, plain)), used.size / work.n, int(dead.sum()))

    def _restart(self, work: Work, dead: Array) -> None:
        rng = np.random.default_rng((self.task.settings.seed, self.steps.number))
        living = np.linalg.norm(self.matrices.encoder.weight[~dead], axis=1)
        new = restart(
            dead, work.x, work.errors(len(self.widths))[-1], float(living.mean()) if living.size else 1.0, rng
        )
        for rows, weight in ((self.matrices.encoder, new.encoder), (self.matrices.decoder, new.decoder)):
            rows.weight[new.features] = weight
            rows.mean[new.features] = rows.square[new.features] = 0
        for moment in self.small["b_enc"]:
            moment[new.features] = 0
        self.pulse.quiet[new.features] = 0

    # --- what it is -----------------------------------------------------------------------

    def settle(self) -> None:
        """Pay every row the movement that it is owed; see ``rows``."""
        now = self.steps.now()
        edges = np.linspace(0, self.pulse.quiet.size, BLOCKS + 1).astype(int).tolist()
        self.pool.run(lambda span: settle_rows(span, self.matrices, now), list(itertools.pairwise(edges)))

    def dictionary(self) -> Dictionary | DictionarySet:
        """The dictionary as it is now. Rows are settled first."""
        self.settle()
        p = {
            "W_enc": torch.from_numpy(self.matrices.encoder.weight.T.copy()),
            "W_dec": torch.from_numpy(self.matrices.decoder.weight.copy()),
            **{name: torch.from_numpy(rows.weight.copy()) for name, rows in self.small.items()},
        }
        return self.task.kind.finish(p, self.task.settings, self.running())

    def running(self) -> Running:
        """What is known beyond the parameters."""
        dead = torch.from_numpy(self.pulse.dead(self.task.patience))
        scales = self.task.scale_in, self.task.scale_out
        return Running(self.task.shape, dead, self.pulse.pressure, self.pulse.threshold, *scales)

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on. Rows are settled first, also in the run that goes on."""
        self.settle()
        rows = {"W_enc": self.matrices.encoder, "W_dec": self.matrices.decoder, **self.small}
        arrays = {f"{name}.{part}": getattr(r, part) for name, r in rows.items() for part in Rows._fields}
        counts = {"step": self.steps.number, "tokens": self.tokens, "batches": self.pulse.batches}
        known = {"pressure": self.pulse.pressure, "threshold": self.pulse.threshold}
        return {**arrays, "quiet": self.pulse.quiet, "owed": self.steps.owed, **counts, **known}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a ``state``."""
        rows = {"W_enc": self.matrices.encoder, "W_dec": self.matrices.decoder, **self.small}
        for name, r in rows.items():
            for part in Rows._fields:
                getattr(r, part)[...] = state[f"{name}.{part}"]
        self.pulse.quiet[...] = state["quiet"]
        self.pulse.batches = int(state["batches"])
        self.pulse.pressure, self.pulse.threshold = float(state["pressure"]), float(state["threshold"])
        self.steps.number, self.tokens = int(state["step"]), int(state["tokens"])
        self.steps.owed[...] = state["owed"]
        self.matrices.visited[...] = self.steps.number

    # --- room -----------------------------------------------------------------------------

    def _room(self, n: int) -> Work:
        if self._work is None or self._work.n != n:
            s = self.task.settings
            k = s.k if self.task.kind.selection == "token" else SPREAD * s.k
            k, aux = min(k, s.n_features), aux_rows(n, s)
            d_in, d_out = self.task.shape.d_in, self.task.shape.d_out
            self._work = Work(
                x=np.empty((n, d_in), np.float32),
                target=np.empty((n, d_out), np.float32),
                codes=kernels.empty_codes(n, k),
                slope=np.zeros((n, k), np.float32),
                error=np.zeros((len(self.widths) * n + aux, d_out), np.float32),
                aux=aux,
            )
        return self._work

    def _buffer(self, n: int) -> F32:
        """Pre-activations of one chunk, one buffer a thread."""
        if not hasattr(self._local, "pre"):
            self._local.pre = np.empty((CHUNK, self.task.settings.n_features), np.float32)
        return self._local.pre[:n]


def cut_batch(codes: SparseCodes, keep: int) -> None:
    """Keep, in place, the ``keep`` largest codes of a batch; of equal ones at the border the first."""
    values = codes.value[codes.value > 0]
    if values.size <= keep:
        return
    bound = np.partition(values, values.size - keep)[values.size - keep]
    kernels.keep_above(codes, bound, keep - int((values > bound).sum()))


def even_spans(offsets: Array, parts: int) -> list[tuple[int, int]]:
    """Consecutive ranges of features with about equal work: pairs, and four more for each feature that has any."""
    per_feature = np.diff(offsets)
    work = np.cumsum(per_feature + 4 * (per_feature > 0))
    edges = np.searchsorted(work, np.linspace(0, work[-1], parts + 1)[1:-1], side="left")
    bounds = [0, *(int(e) for e in edges), len(per_feature)]
    return [(a, b) for a, b in itertools.pairwise(bounds) if b > a]


def rows_of(codes: SparseCodes, rows: slice) -> SparseCodes:
    """Codes of some tokens, sharing memory."""
    return SparseCodes(codes.feature[rows], codes.value[rows], codes.active[rows])


def _array(x: torch.Tensor) -> F32:
    return np.ascontiguousarray(x.detach().cpu().float().numpy())
