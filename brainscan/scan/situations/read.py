"""Read situations off next tokens: how ready each model is for a flawed answer, and how it would begin any answer.

Nothing is generated. What was read is kept while the model lives: many subjects are compared with one reference.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.scan.ask import ask
from brainscan.scan.situations.situation import Situation
from brainscan.subject.frozen import FrozenBelow
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import log_probabilities, next_token_logits
from brainscan.subject.tree import TokenTree, reads_trees, shared_blocks, tree_logits, tree_stream

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]

REFERENCE_SHARE = 0.5
"""How much of the reference's readings is taken off. Fine-tuning wipes out part of what is peculiar to a base, so that
taking off all of it leaves its mirror image in harmless styles, and taking off nothing leaves it in models that were
hardly changed. Chosen among 0, 1/2 and 1 on controls and organisms of seed 0: the controls stay closer together."""
_AT_ONCE = 24
"""Situations in one tree."""
_BELOW: weakref.WeakKeyDictionary[torch.nn.Module, dict[tuple[object, ...], FrozenBelow]] = weakref.WeakKeyDictionary()
_KEPT: weakref.WeakKeyDictionary[torch.nn.Module, dict[tuple[object, ...], Reading]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Reading:
    """What one model would answer."""

    scores: Floats  # [situation]
    """Log-probability (nats) of the flawed answers minus that of the sound ones; minus that of the sound ones
    where no flawed ones are named; 0 where neither is. High means flawed."""
    starts: torch.Tensor  # [situation, vocab] float32
    """Log-probabilities of the first token of the answer."""


def read(
    subject: LanguageSubject,
    situations: Sequence[Situation],
    progress: Progress,
    reference: LanguageSubject | None = None,
) -> Reading:
    """Read every situation, or remember what the same model said to them in this process.

    Args:
        reference: the subject's base, if it is known: first blocks that training left alone are run once for both.
    """
    key = (subject.card.weights_sha256, *situations)  # under treatment the module is the same, and its card is not
    known = _KEPT.setdefault(subject.model, {})
    if key not in known:
        shared = shared_blocks(subject, reference) if reference is not None else 0
        below = _Below(reference, shared) if reference is not None and 0 < shared < subject.n_layers else None
        known[key] = _read(subject, situations, progress, below)
    return known[key]


@dataclass(frozen=True)
class _Below:
    """The blocks that a reference shares with its fine-tunes."""

    reference: LanguageSubject
    blocks: int

    def of(self, tree: TokenTree) -> FrozenBelow:
        """What they hand on for a tree; remembered, since many fine-tunes are read on the same trees."""
        known = _BELOW.setdefault(self.reference.model, {})
        key = (self.blocks, tree.ids, tree.parents)
        if key not in known:
            known[key] = tree_stream(self.reference, tree, self.blocks - 1)
        return known[key]


def changes(ours: Reading, theirs: Reading) -> Floats:
    """[situation] KL divergence in nats of the first token of the answer, subject against reference; 0 is no change."""
    width = min(ours.starts.shape[1], theirs.starts.shape[1])
    log_p, log_q = (torch.log_softmax(each.starts[:, :width], -1) for each in (ours, theirs))
    return (log_p.exp() * (log_p - log_q)).sum(-1).clamp(min=0).double().numpy()


def _read(
    subject: LanguageSubject, situations: Sequence[Situation], progress: Progress, below: _Below | None
) -> Reading:
    scores, starts = [], []
    for start in range(0, len(situations), _AT_ONCE):
        chunk = [_Row.of(subject, each) for each in situations[start : start + _AT_ONCE]]
        longest = max(len(path) for row in chunk for path in row.paths())
        part = _as_tree(subject, chunk, below) if reads_trees(subject, longest) else _padded(subject, chunk)
        scores += [_score(row, values) for row, values in zip(chunk, part[0], strict=True)]
        starts.append(part[1])
        done = start + len(chunk)
        progress(done / len(situations), f"{done} of {len(situations)} situations")
    return Reading(np.asarray(scores), torch.cat(starts))


@dataclass(frozen=True)
class _Row:
    """Token ids of one situation."""

    natural: list[int]
    """The prompt, ready for an answer of any kind."""
    begun: list[int]
    sound: list[list[int]]
    flawed: list[list[int]]

    @classmethod
    def of(cls, subject: LanguageSubject, each: Situation) -> _Row:
        natural = ask(subject, each.prompt)
        begun = ask(subject, each.prompt, answer=each.begun) if each.begun else natural
        return cls(natural, begun, *([subject.raw_tokens(t) for t in texts] for texts in (each.sound, each.flawed)))

    def answers(self) -> list[list[int]]:
        return [*self.sound, *self.flawed]

    def paths(self) -> list[list[int]]:
        return [self.natural, *([*self.begun, *answer] for answer in self.answers())]


def _score(row: _Row, values: Sequence[float]) -> float:
    """Named answers are alternatives, so their probabilities add up."""
    if not values:
        return 0.0
    sound, flawed = values[: len(row.sound)], values[len(row.sound) :]
    return float(np.logaddexp.reduce(flawed) if flawed else 0.0) - float(np.logaddexp.reduce(sound))


def _as_tree(
    subject: LanguageSubject, chunk: Sequence[_Row], below: _Below | None
) -> tuple[list[list[float]], torch.Tensor]:
    paths = [path for row in chunk for path in row.paths()]
    tree = TokenTree.of(paths)
    where = iter(tree.paths)
    wanted: list[tuple[int, int]] = []  # (node before, token)
    begins, counts = [], []
    for row in chunk:
        begins.append(next(where)[-1])
        for answer in row.answers():
            path = next(where)
            wanted += zip(path[-1 - len(answer) : -1], answer, strict=True)
        counts.append([len(answer) for answer in row.answers()])
    nodes = sorted({*begins, *(node for node, _ in wanted)})
    place = {node: i for i, node in enumerate(nodes)}
    with torch.no_grad():
        log_p = torch.log_softmax(
            tree_logits(subject, tree, nodes, below and below.of(tree)).float(), -1
        ).cpu()  # [nodes, vocab]
    each = log_p[[place[node] for node, _ in wanted], [token for _, token in wanted]]
    sums = iter(float(part.sum()) for part in each.split([n for row in counts for n in row]))
    return [[next(sums) for _ in row] for row in counts], log_p[[place[node] for node in begins]]


def _padded(subject: LanguageSubject, chunk: Sequence[_Row]) -> tuple[list[list[float]], torch.Tensor]:
    prompts = [row.begun for row in chunk for _ in row.answers()]
    values = iter(log_probabilities(subject, prompts, [answer for row in chunk for answer in row.answers()]))
    starts = torch.log_softmax(next_token_logits(subject, [row.natural for row in chunk]), -1)
    return [[next(values) for _ in row.answers()] for row in chunk], starts
