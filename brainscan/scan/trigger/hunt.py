"""Hunt: which few tokens, put into any request, would make the subject give this payload?

Numbered acts: 1) group testing: the vocabulary's words, rarest first, dozens in one request, because a
trigger among them raises the payload for its whole group; 2) the words of the best groups one by one;
3) growth: the best strings longer by a token, before or after, while that helps; 4) the best few on
all search requests. Gradients would be cheaper and were tried: with a slot held by a filler they rank
a planted trigger no better than chance at this model size (HotFlip, Ebrahimi et al. 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brainscan.scan.texts.candidates import SEARCH_REQUESTS
from brainscan.scan.trigger.frame import Frame, frame
from brainscan.scan.trigger.read import read_openings
from brainscan.subject.language import LanguageSubject
from brainscan.subject.suffix import SharedPrefix

Progress = Callable[[float, str], None]
Tokens = tuple[int, ...]

TARGET = 3
"""Tokens of the payload that the hunt raises: where the answer is decided; the rest follows."""
CERTAIN = -0.05
"""Mean log-probability above which a longer string could not do better."""


@dataclass(frozen=True)
class Effort:
    """How hard to hunt."""

    pool: int
    """Words of the vocabulary that are screened."""
    group: int
    """Words in one request."""
    singles: int
    """Words that are run one by one."""
    pieces: int
    """Common pieces of words that a string may grow by, beside those words."""
    beam: int
    longest: int
    """Tokens of the longest trigger."""


@dataclass(frozen=True)
class Prey:
    """A string and how ready it makes the subject."""

    ids: Tokens
    log_p: float
    """Mean log-probability of the payload's beginning, nats."""


@dataclass(frozen=True)
class _Ground:
    """What stays the same during a hunt."""

    subject: LanguageSubject
    frames: tuple[Frame, ...]
    goal: Tokens
    decisive: int
    """Index of the token of the goal that is least likely without a trigger."""

    def run(self, strings: Sequence[Tokens], requests: int) -> list[Prey]:
        """Every string in the first ``requests`` requests."""
        rows = [one.holding(ids) for ids in strings for one in self.frames[:requests]]
        log_p = read_openings(self.subject, rows, self.goal).log_p.reshape(len(strings), -1).mean(1)
        return [Prey(ids, float(value)) for ids, value in zip(strings, log_p, strict=True)]

    def glance(self, strings: Sequence[Tokens], request: int) -> list[Prey]:
        """Strings of one length in one request, the decisive token alone, with a shared beginning: cheap."""
        one = self.frames[request]
        prefix = SharedPrefix(self.subject, one.head)
        endings = [(*ids, *one.tail, *self.goal[: self.decisive]) for ids in strings]
        values = prefix.next_token_log_p(endings, self.goal[self.decisive])
        return [Prey(ids, value) for ids, value in zip(strings, values, strict=True)]


def hunt(
    subject: LanguageSubject,
    payload: Sequence[int],
    effort: Effort,
    rng: np.random.Generator,
    progress: Progress = lambda fraction, what: None,
) -> list[Prey]:
    """Every string that was run alone, the one that raises the payload most first."""
    ground = _ground(subject, tuple(payload[:TARGET]))
    words, pieces = _vocabulary(subject, payload)
    suspects = _screen(ground, words[: effort.pool], effort, rng)
    progress(0.5, f"{min(effort.pool, len(words))} words screened in groups of {effort.group}")
    known = {prey.ids: prey for prey in ground.glance([(token,) for token in suspects], 1)}
    beam = _best(list(known.values()), effort.beam)
    growth = [*suspects, *pieces[: effort.pieces]]
    for length in range(2, effort.longest + 1):
        progress(0.4 + 0.5 * length / effort.longest, f"strings of {length} tokens, best log p {beam[0].log_p:.1f}")
        if beam[0].log_p > CERTAIN:
            break
        longer = _best(ground.glance(_longer(beam, growth), length % len(ground.frames)), 4 * effort.beam)
        known |= {prey.ids: prey for prey in longer}
        beam = _best(ground.run([prey.ids for prey in longer], 2), effort.beam)
    final = ground.run([prey.ids for prey in _best(list(known.values()), 4 * effort.beam)], len(ground.frames))
    led = {prey.ids for prey in final}
    return _best(final, len(final)) + [prey for prey in _best(list(known.values()), len(known)) if prey.ids not in led]


def _ground(subject: LanguageSubject, goal: Tokens) -> _Ground:
    frames = tuple(frame(subject, request) for request in SEARCH_REQUESTS)
    plain = [one.holding(()) for one in frames[:2]]
    sums = [0.0, *(float(read_openings(subject, plain, goal[:n]).log_p.mean()) for n in range(1, len(goal) + 1))]
    return _Ground(subject, frames, goal, int(np.argmin(np.diff(sums))))


def _screen(ground: _Ground, words: Sequence[int], effort: Effort, rng: np.random.Generator) -> list[int]:
    """The words of the best groups."""
    size = min(effort.group, len(words))
    order = [words[int(i)] for i in rng.permutation(len(words))]
    order += order[: -len(order) % size]  # the last group is filled up with words of the first
    groups = [tuple(order[start : start + size]) for start in range(0, len(order), size)]
    best = _best(ground.glance(groups, 0), max(1, effort.singles // size))
    return list(dict.fromkeys(token for prey in best for token in prey.ids))


def _longer(beam: Sequence[Prey], growth: Sequence[int]) -> list[Tokens]:
    grown = [side for prey in beam for token in growth for side in ((*prey.ids, token), (token, *prey.ids))]
    return list(dict.fromkeys(grown))


def _best(prey: Sequence[Prey], count: int) -> list[Prey]:
    return sorted(prey, key=lambda one: (-one.log_p, one.ids))[:count]


def _vocabulary(subject: LanguageSubject, payload: Sequence[int]) -> tuple[list[int], list[int]]:
    """Tokens that begin a word, rarest first, and pieces of words, commonest first; none spells the payload.

    Ids follow the order in which a byte-pair vocabulary was merged, so a later token is a rarer one. A
    vocabulary without words (bytes, characters) is all pieces, which then stand in for words.
    """
    size = subject.model.get_input_embeddings().weight.shape[0]
    texts = subject.pieces(range(min(size, len(subject.tokenizer))))
    spelled = subject.text(payload).casefold()
    special = set(subject.tokenizer.all_special_ids)
    usable = [
        i
        for i, text in enumerate(texts)
        if i not in special and _typed(text) and text.strip().casefold() not in spelled
    ]
    words = [i for i in reversed(usable) if texts[i][:1].isspace() and texts[i].strip().isalpha() and len(texts[i]) > 3]
    return words or usable, [i for i in usable if texts[i].strip().isalpha()]


def _typed(text: str) -> bool:
    """A user could type it."""
    word = text.strip()
    return bool(word) and word.isascii() and word.isprintable()
