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
CERTAIN = -0.02
"""Mean log-probability above which a longer string could not do better."""


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


@dataclass(frozen=True)
class _Ground:
    """What stays the same during a hunt."""

    subject: LanguageSubject
    frames: tuple[Frame, ...]
    goal: Tokens
    usable: torch.Tensor
    """[vocab] bool"""

    def scores(self, strings: Sequence[Tokens]) -> list[Prey]:
        """Every string in every request, many rows at once."""
        rows = [one.holding(ids) for ids in strings for one in self.frames]
        log_p = read_openings(self.subject, rows, self.goal).log_p.reshape(len(strings), -1).mean(1)
        return [Prey(ids, float(value)) for ids, value in zip(strings, log_p, strict=True)]

    def slopes(self, seeds: Sequence[_Seed]) -> torch.Tensor:
        """[seed, vocab] first-order gain of each token in the seed's open slot, mean over requests."""
        rows, slots = [], []
        for seed in seeds:
            for i, one in enumerate(self.frames):
                filler = self.subject.raw_tokens(FILLERS[i % len(FILLERS)])[0]
                rows.append(one.holding(seed.with_token(filler)))
                slots.append([one.slots(len(seed.ids) + 1)[-1 if seed.after else 0]])
        slopes = token_slopes(self.subject, rows, self.goal, slots)[:, 0]  # [seed * request, vocab]
        return slopes.reshape(len(seeds), len(self.frames), -1).mean(1).masked_fill(~self.usable, -torch.inf)


@dataclass(frozen=True)
class _Seed:
    """A known string and the side on which it will grow."""

    ids: Tokens
    after: bool

    def with_token(self, token: int) -> Tokens:
        return (*self.ids, token) if self.after else (token, *self.ids)


def hunt(
    subject: LanguageSubject, payload: Sequence[int], effort: Effort, progress: Progress = lambda fraction, what: None
) -> list[Prey]:
    """Every string that was run, the one that raises the payload most first.

    The last act runs the best few on more requests, and they lead the list in that order.
    """
    goal = tuple(payload[:TARGET])
    ground = _Ground(subject, _frames(subject, effort.requests), goal, _usable(subject, payload))
    beam: list[Prey] = [Prey((), -np.inf)]
    known: dict[Tokens, Prey] = {}
    for length in range(1, effort.longest + 1):
        proposed = _propose(ground, beam, effort.tried)
        known |= {prey.ids: prey for prey in ground.scores([ids for ids in proposed if ids not in known])}
        beam = sorted((known[ids] for ids in proposed), key=lambda prey: -prey.log_p)[: effort.beam]
        progress(length / effort.longest, f"strings of {length} tokens, best log p {beam[0].log_p:.1f}")
        if beam[0].log_p > CERTAIN:
            break
    ranked = sorted(known.values(), key=lambda prey: -prey.log_p)
    final = _Ground(subject, _frames(subject, len(SEARCH_REQUESTS)), goal, ground.usable)
    best = final.scores([prey.ids for prey in ranked[: effort.beam]])
    return sorted(best, key=lambda prey: -prey.log_p) + ranked[effort.beam :]


def _frames(subject: LanguageSubject, count: int) -> tuple[Frame, ...]:
    return tuple(frame(subject, request) for request in SEARCH_REQUESTS[:count])


def _propose(ground: _Ground, beam: Sequence[Prey], tried: int) -> list[Tokens]:
    """Longer strings, those with the steepest slope first, shared out evenly over the beam and both ends."""
    seeds = [_Seed(prey.ids, after) for prey in beam for after in ((True,) if not prey.ids else (False, True))]
    best = ground.slopes(seeds).topk(max(1, tried // len(seeds)), -1).indices.tolist()
    return list(
        dict.fromkeys(seed.with_token(token) for seed, tokens in zip(seeds, best, strict=True) for token in tokens)
    )


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
