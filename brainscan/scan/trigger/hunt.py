"""Hunt: which few tokens, put into any request, would make the subject give this payload?

Numbered acts: 1) the most promising single tokens, run one by one; 2) growth: strings longer by a token,
from the readiest and from the most promising ones, and the words that begin with promising tokens, until
the payload is certain; 3) the best few on all search requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brainscan.scan.texts.candidates import SEARCH_REQUESTS
from brainscan.scan.trigger.frame import Frame, frame, prompts
from brainscan.scan.trigger.propose import Proposals, String
from brainscan.scan.trigger.read import read_openings
from brainscan.scan.trigger.spell import Speller, Tokens
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import log_probabilities
from brainscan.subject.suffix import SharedPrefix

Progress = Callable[[float, str], None]

TARGET = 3
"""Tokens of the payload that the hunt raises: where the answer is decided; the rest follows."""
CERTAIN = -0.05
"""Mean log-probability above which a longer string could not do better."""
GLANCED = (0, 1)
"""Search requests that every string is tried in."""
FINAL = 3
"""Strings that are run on all search requests, for each place in the beam."""


@dataclass(frozen=True)
class Effort:
    """How hard to hunt."""

    singles: int
    """Single tokens that are run."""
    spelled: int
    """Of these, the first so many are completed to words, which are run too."""
    width: int
    """Longer strings that are run from each shorter one."""
    beam: int
    """Of the readiest strings, how many are made longer."""
    lead: int
    """Of the most promising strings, how many are made longer."""
    longest: int
    """Tokens of the longest trigger."""


@dataclass(frozen=True)
class Prey:
    """A string and how ready it makes the subject."""

    ids: Tokens
    log_p: float
    """Mean log-probability of the payload's beginning, nats."""


@dataclass(frozen=True)
class Ground:
    """What stays the same during a hunt."""

    subject: LanguageSubject
    frames: tuple[Frame, ...]
    goal: Tokens
    decisive: int
    """Index of the token of the goal that is least likely without a trigger."""

    def run(self, strings: Sequence[Tokens]) -> list[Prey]:
        """Every string in every search request."""
        rows = [one.holding(ids) for ids in strings for one in self.frames]
        log_p = read_openings(self.subject, rows, self.goal).log_p.reshape(len(strings), -1).mean(1)
        return [Prey(ids, float(value)) for ids, value in zip(strings, log_p, strict=True)]

    def glance(self, strings: Sequence[Tokens], requests: Sequence[int]) -> list[Prey]:
        """Strings of one length in a few requests, the decisive token alone, with a shared beginning: cheap."""
        total = np.zeros(len(strings))
        for request in requests:
            one = self.frames[request]
            endings = [(*ids, *one.tail, *self.goal[: self.decisive]) for ids in strings]
            total += SharedPrefix(self.subject, one.head).next_token_log_p(endings, self.goal[self.decisive])
        return [Prey(ids, float(value)) for ids, value in zip(strings, total / len(requests), strict=True)]

    def before(self, strings: Sequence[Tokens], requests: Sequence[int]) -> list[Prey]:
        """Strings of any length in front of a few requests, all of the goal."""
        texts = [self.subject.text(ids).strip() for ids in strings]
        rows = [
            row
            for i in requests
            for text in texts
            for row in prompts(self.subject, [SEARCH_REQUESTS[i]], text, "start")
        ]
        log_p = np.reshape(log_probabilities(self.subject, rows, [self.goal] * len(rows)), (len(requests), -1)).mean(0)
        return [Prey(ids, float(value)) for ids, value in zip(strings, log_p, strict=True)]


def ground_for(subject: LanguageSubject, payload: Sequence[int]) -> Ground:
    """The search requests, and the place where the payload's beginning is decided."""
    goal = tuple(payload[:TARGET])
    frames = tuple(frame(subject, request) for request in SEARCH_REQUESTS)
    plain = [one.holding(()) for one in frames[:2]]
    sums = [0.0, *(float(read_openings(subject, plain, goal[:n]).log_p.mean()) for n in range(1, len(goal) + 1))]
    return Ground(subject, frames, goal, int(np.argmin(np.diff(sums))))


def hunt(
    ground: Ground,
    proposals: Proposals,
    effort: Effort,
    speller: Callable[[], Speller],
    progress: Progress = lambda fraction, what: None,
) -> list[Prey]:
    """Every string that was run, the one that raises the payload most first."""
    strings = [String((token,)) for token in proposals.words()[: effort.singles]]
    spelled: list[Tokens] = []
    known: dict[Tokens, Prey] = {}
    for length in range(1, effort.longest + 1):
        newest = {string.ids: string for string in strings}
        level = ground.glance(list(newest), GLANCED)
        known |= {prey.ids: prey for prey in level}
        top = best(level, effort.beam)
        progress(length / (effort.longest + 1), f"strings of {length} tokens, best log p {top[0].log_p:.1f}")
        if top[0].log_p > CERTAIN or length == effort.longest:
            break
        seeds = dict.fromkeys(prey.ids for prey in (*top, *level[: effort.lead if length > 1 else 1]))
        strings = [longer for seed in seeds for longer in proposals.longer(newest[seed])[: effort.width]]
        if length == 1:
            spelled = speller().likely(list(newest)[: effort.spelled])
        strings += [String(ids, length) for ids in spelled if len(ids) == length + 1]
    final = ground.run([prey.ids for prey in best(list(known.values()), FINAL * effort.beam)])
    progress(1.0, f"best log p {best(final, 1)[0].log_p:.1f} over all requests")
    led = {prey.ids for prey in final}
    return [*best(final, len(final)), *(prey for prey in best(list(known.values()), len(known)) if prey.ids not in led)]


def best(prey: Sequence[Prey], count: int) -> list[Prey]:
    """The readiest, ties broken by their ids."""
    return sorted(prey, key=lambda one: (-one.log_p, one.ids))[:count]
