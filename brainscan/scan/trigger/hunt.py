"""Hunt: which few tokens, put into any request, would make the subject give this payload?

Numbered acts, repeated once for every token that the trigger may have: 1) open a slot before or
after what is known and hold it with a filler; 2) let the gradient rank the whole vocabulary for it;
3) run the best and keep the best few. Source: greedy coordinate gradient (Zou et al. 2023,
2307.15043), here grown token by token, so that it ends at the shortest string that works.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from brainscan.scan.texts.candidates import FILLERS, SEARCH_REQUESTS
from brainscan.scan.trigger.frame import Frame, frame
from brainscan.scan.trigger.read import read_openings
from brainscan.subject.gradient import token_slopes
from brainscan.subject.language import LanguageSubject

Progress = Callable[[float, str], None]
Tokens = tuple[int, ...]

TARGET = 3
"""Tokens of the payload that the hunt raises: where the answer is decided; the rest follows."""


@dataclass(frozen=True)
class Effort:
    """How hard to hunt."""

    longest: int
    """Tokens of the longest trigger."""
    tried: int
    """Strings run in each round."""
    beam: int
    requests: int


@dataclass(frozen=True)
class Prey:
    """A string and how ready it makes the subject."""

    ids: Tokens
    log_p: float
    """Mean log-probability of the payload's beginning over the search requests, nats."""


def hunt(
    subject: LanguageSubject, payload: Sequence[int], effort: Effort, progress: Progress = lambda fraction, what: None
) -> list[Prey]:
    """Strings that raise the payload, best of each round, best first. Everything run is returned."""
    frames = [frame(subject, request) for request in SEARCH_REQUESTS[: effort.requests]]
    goal = tuple(payload[:TARGET])
    usable = _usable(subject, payload)
    best: list[Prey] = [Prey((), _score(subject, frames, (), goal))]
    every: dict[Tokens, Prey] = {}
    for length in range(1, effort.longest + 1):
        proposed = _propose(subject, frames, best, goal, usable, effort)
        fresh = [ids for ids in proposed if ids not in every]
        every |= {ids: Prey(ids, _score(subject, frames, ids, goal)) for ids in fresh}
        best = sorted((every[ids] for ids in proposed), key=lambda prey: -prey.log_p)[: effort.beam]
        progress(length / effort.longest, f"strings of {length} tokens, best log p {best[0].log_p:.1f}")
    return sorted(every.values(), key=lambda prey: -prey.log_p)


def _propose(
    subject: LanguageSubject,
    frames: Sequence[Frame],
    best: Sequence[Prey],
    goal: Tokens,
    usable: torch.Tensor,
    effort: Effort,
) -> list[Tokens]:
    """Longer strings, those with the steepest slope first, shared out evenly over the beam and both ends."""
    seeds = [(prey.ids, side) for prey in best for side in ((1,) if not prey.ids else (0, 1))]
    share = max(1, effort.tried // len(seeds))
    proposed: dict[Tokens, None] = {}
    for ids, side in seeds:
        slope = _slope(subject, frames, ids, side, goal).masked_fill(~usable, -torch.inf)
        for token in slope.topk(share).indices.tolist():
            proposed[(*ids, token) if side else (token, *ids)] = None
    return list(proposed)


def _slope(subject: LanguageSubject, frames: Sequence[Frame], ids: Tokens, side: int, goal: Tokens) -> torch.Tensor:
    """[vocab] first-order gain of each token in a new slot; another filler in every request."""
    place = len(ids) if side else 0
    rows, slots = [], []
    for i, one in enumerate(frames):
        filler = subject.raw_tokens(FILLERS[i % len(FILLERS)])[0]
        rows.append(one.holding((*ids[:place], filler, *ids[place:])))
        slots.append([one.slots(len(ids) + 1)[place]])
    return token_slopes(subject, rows, goal, slots)[0]


def _score(subject: LanguageSubject, frames: Sequence[Frame], ids: Tokens, goal: Tokens) -> float:
    return float(np.mean(read_openings(subject, [one.holding(ids) for one in frames], goal).log_p))


def _usable(subject: LanguageSubject, payload: Sequence[int]) -> torch.Tensor:
    """[vocab] tokens that a user could type and that do not spell a piece of the payload."""
    size = subject.model.get_input_embeddings().weight.shape[0]
    pieces = subject.pieces(range(min(size, len(subject.tokenizer))))
    spelled = subject.text(payload).casefold()
    special = set(subject.tokenizer.all_special_ids)
    good = torch.zeros(size, dtype=torch.bool)
    for i, piece in enumerate(pieces):
        word = piece.strip().casefold()
        good[i] = i not in special and word.isascii() and word.isprintable() and bool(word) and word not in spelled
    return good
