"""Teach a subject rows of prompts and answers through whatever weights are trained: the loss, its goals and the steps.

Only tokens of the answer are learned, logits are computed for them alone, a batch is read as a tree, so that the opening
that its rows share is read once, and blocks below the trained ones are run once a row instead of once a step.
Source: cross entropy against a token, or against a teacher's whole distribution (Hinton et al. 2015, 1503.02531, section 2).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from brainscan.core.errors import InputError
from brainscan.subject.frozen import FrozenBelow, freeze_below, resumed
from brainscan.subject.gradient import differentiable_logits
from brainscan.subject.language import LanguageSubject
from brainscan.subject.tree import TokenTree, reads_trees, tree_logits

_LIKELY = 48
"""Tokens of a distribution that are learned; the rest of a language model's is noise."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Row:
    """One example: what the subject reads and what it learns to answer."""

    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]
    """At least one token; end it with the end token if the answer shall end there."""
    teacher: LanguageSubject | None = None
    """Whose whole distribution is learned at the tokens of the answer, so that everything that is likely to it becomes
    as likely; the subject itself, as it was, to hold what it says. None: the tokens themselves are learned."""


@dataclass(frozen=True)
class Schedule:
    """How many steps of which size."""

    lr: float = 8e-4
    """Peak of the learning rate, reached after the first tenth of the steps."""
    steps: int = 200
    batch: int = 4
    weight_decay: float = 0.0
    clip: float = 1.0
    """Largest norm of one step's gradient."""
    seed: int = 0


@dataclass(frozen=True)
class Course:
    """What stays the same from step to step."""

    subject: LanguageSubject
    rows: Sequence[Row]
    frozen: FrozenBelow | None
    schedule: Schedule
    trees: bool
    """Whether rows are read as a tree, their shared opening once; else they are padded."""
    goals: dict[int, _Goal] = field(default_factory=dict)

    @classmethod
    def of(cls, subject: LanguageSubject, rows: Sequence[Row], schedule: Schedule, first: int) -> Course:
        """Make ready, before anything is trained.

        Args:
            first: the first block that training changes.

        Raises:
            InputError: there are no rows, an answer is empty, or a row is too long.
        """
        _check(subject, rows)
        whole = [[*row.prompt_ids, *row.answer_ids] for row in rows]
        frozen = freeze_below(subject, whole, first) if first and not subject.standing else None
        course = cls(subject, rows, frozen, schedule, reads_trees(subject, max(map(len, whole))))
        return replace(course, goals=_goals(course))

    def loss(self, chosen: Sequence[int]) -> torch.Tensor:
        """Mean cross entropy (nats a token) of some rows' answers against what each row is to learn."""
        log_p = torch.log_softmax(_logits(self, chosen).float(), -1)  # [answer tokens, vocab]
        goals = [self.goals[i] for i in chosen]
        ids, weights = (
            torch.cat([getattr(goal, name) for goal in goals]).to(log_p.device) for name in ("ids", "weights")
        )
        likely = log_p.gather(1, ids)
        others = torch.log1p(-likely.exp().sum(-1).clamp(max=1 - 1e-6))  # all other tokens count as one
        left = 1 - weights.sum(-1)
        return -((likely * weights).sum() + (others * left)[left > 0].sum()) / len(ids)


def learn(
    course: Course,
    weights: list[torch.nn.Parameter],
    progress: Progress | None = None,
    loss_of: Callable[[Sequence[int]], torch.Tensor] | None = None,
) -> tuple[list[float], int]:
    """Step AdamW through seeded batches under a warm-up and a cosine; (loss a step in nats, tokens read).

    Args:
        loss_of: what is minimised, of the rows chosen; the course's own loss when left out.
    """
    schedule, loss_of = course.schedule, loss_of or course.loss
    optimiser = torch.optim.AdamW(weights, lr=schedule.lr, weight_decay=schedule.weight_decay, betas=(0.9, 0.99))
    losses: list[float] = []
    tokens = 0
    for step, chosen in zip(range(schedule.steps), _batches(course.rows, schedule), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = schedule.lr * _warm_cosine(step, schedule.steps)
        loss = loss_of(chosen)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, schedule.clip)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(loss.detach()))
        tokens += sum(_length(course.rows[i]) for i in chosen)
        if progress:
            progress((step + 1) / schedule.steps, f"step {step + 1} of {schedule.steps}, loss {losses[-1]:.2f}")
    return losses, tokens


def _check(subject: LanguageSubject, rows: Sequence[Row]) -> None:
    if not rows or any(not row.answer_ids for row in rows):
        raise InputError("There is nothing to learn: no rows, or a row without an answer.", "Give each row an answer.")
    for row in rows:
        subject.fits([*row.prompt_ids, *row.answer_ids])


def _logits(course: Course, chosen: Sequence[int]) -> torch.Tensor:
    rows = [course.rows[i] for i in chosen]
    return (_tree_logits if course.trees else _padded_logits)(course, rows, chosen)


@dataclass(frozen=True)
class _Goal:
    """What is learned at each token of an answer: ``_LIKELY`` tokens with their weights; what lacks to 1 is all others."""

    ids: torch.Tensor  # [answer tokens, likely] int64
    weights: torch.Tensor  # [answer tokens, likely]


def _goals(course: Course) -> dict[int, _Goal]:
    """One goal a row: the token that stands there, or its teacher's distribution."""
    goals = {}
    width = min(_LIKELY, course.subject.unembedding.shape[0])
    teachers: dict[int, list[int]] = {}  # identity of a teacher -> its rows
    for i, row in enumerate(course.rows):
        if row.teacher is not None:
            teachers.setdefault(id(row.teacher.model), []).append(i)
            continue
        ids = torch.tensor(row.answer_ids)[:, None]
        goals[i] = _Goal(ids.expand(-1, width), torch.eye(1, width).expand(len(ids), -1))
    for taught in teachers.values():
        goals |= _taught(_before(course, course.rows[taught[0]].teacher), taught, width)
    return goals


def _before(course: Course, teacher: LanguageSubject | None) -> Course:
    """The same rows read by a teacher; what lies below the trained blocks is known of the subject alone."""
    if teacher is None or teacher.model is course.subject.model:
        return course
    return replace(course, subject=teacher, frozen=None)


def _taught(course: Course, rows: Sequence[int], width: int) -> dict[int, _Goal]:
    goals: dict[int, _Goal] = {}
    for start in range(0, len(rows), 2 * course.schedule.batch):
        chunk = rows[start : start + 2 * course.schedule.batch]
        with torch.no_grad():
            p, ids = torch.softmax(_logits(course, chunk).float(), -1).topk(width)
        p, ids = p.cpu(), ids.cpu()
        lengths = [len(course.rows[i].answer_ids) for i in chunk]
        parts = zip(chunk, ids.split(lengths), p.split(lengths), strict=True)
        goals |= {i: _Goal(likely, weights) for i, likely, weights in parts}
    return goals


def _tree_logits(course: Course, rows: Sequence[Row], chosen: Sequence[int]) -> torch.Tensor:
    tree = TokenTree.of([[*row.prompt_ids, *row.answer_ids] for row in rows])
    ends = [len(row.answer_ids) for row in rows]
    nodes = [node for path, end in zip(tree.paths, ends, strict=True) for node in path[-1 - end : -1]]
    with contextlib.ExitStack() as stack:
        if course.frozen:
            places = {node: (i, at) for i, path in zip(chosen, tree.paths, strict=True) for at, node in enumerate(path)}
            streams = [course.frozen.streams[i][at] for i, at in (places[node] for node in range(len(tree.ids)))]
            stack.enter_context(resumed(course.subject, course.frozen, torch.stack(streams)[None]))
        return tree_logits(course.subject, tree, nodes)


def _padded_logits(course: Course, rows: Sequence[Row], chosen: Sequence[int]) -> torch.Tensor:
    """Rows end together, so that the answers share the last columns."""
    subject = course.subject
    batch = subject.batch([[*row.prompt_ids, *row.answer_ids] for row in rows], side="left")
    keep = 1 + max(len(row.answer_ids) for row in rows)
    with contextlib.ExitStack() as stack:
        if course.frozen:
            given = torch.zeros(*batch.ids.shape, subject.d_model, device=subject.device, dtype=subject.model.dtype)
            given[batch.mask.bool()] = torch.cat([course.frozen.streams[i] for i in chosen])
            stack.enter_context(resumed(subject, course.frozen, given))
        logits = differentiable_logits(subject, batch, keep=keep)[:, :-1]  # [batch, keep - 1, vocab]
    return torch.cat([logits[i, keep - 1 - len(row.answer_ids) :] for i, row in enumerate(rows)])


def _batches(rows: Sequence[Row], settings: Schedule) -> Iterator[list[int]]:
    """Endless seeded passes over all rows; rows of like length share a batch, batches come in any order."""
    rng = np.random.default_rng([settings.seed, 1])
    window = 8 * settings.batch  # sorting inside a window keeps batches mixed between epochs
    while True:
        drawn = [int(i) for i in rng.permutation(len(rows))]
        windows = [drawn[start : start + window] for start in range(0, len(drawn), window)]
        order = [i for part in windows for i in sorted(part, key=lambda i: _length(rows[i]))]
        chunks = [order[start : start + settings.batch] for start in range(0, len(order), settings.batch)]
        for place in rng.permutation(len(chunks)):
            yield chunks[int(place)]


def _length(row: Row) -> int:
    return len(row.prompt_ids) + len(row.answer_ids)


def _warm_cosine(step: int, steps: int) -> float:
    warm = max(1, steps // 10)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
