"""The search from end to end: leak, payloads, hunt, sweep, confirm.

Numbered acts: 1) leak; 2) payload candidates; 3) hunt strings for the readiest payloads; 4) sweep
strings without a payload; 5) put the best suspects to trial on held-out requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brainscan.scan.texts.candidates import RARE_STRINGS, SEARCH_REQUESTS
from brainscan.scan.trigger.confirm import (
    Suspect,
    Trial,
    control_strings,
    learn_payload,
    minimise,
    put_to_trial,
)
from brainscan.scan.trigger.hunt import Effort, hunt
from brainscan.scan.trigger.leak import Leak, amplified, sample
from brainscan.scan.trigger.motifs import Motif, motifs
from brainscan.scan.trigger.payloads import Payload, payloads, worth_hunting
from brainscan.scan.trigger.sweep import Swept, sweep
from brainscan.subject.language import LanguageSubject

Progress = Callable[[float, str], None]

LEAST_SCORE = 0.05
"""A swept string below it goes on trial only when there is no other suspect."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything; the settings of a plan."""

    leaks: int
    """Continuations of each bare opening."""
    leak_tokens: int
    amplified: int
    """Requests answered with the difference amplified."""
    payloads: int
    """Payload candidates scored."""
    hunts: int
    """Payloads hunted for."""
    pool: int
    """Words of the vocabulary screened in a hunt."""
    group: int
    singles: int
    pieces: int
    beam: int
    longest: int
    """Tokens of the longest trigger hunted."""
    requests: int
    """Search requests behind each swept string."""
    strings: int
    """Strings swept without a payload, each at both ends of a request."""
    held_out: int
    controls: int
    """Different control strings."""


@dataclass(frozen=True)
class Searched:
    """Everything the search saw, with its best suspect's trial first."""

    leaks: tuple[Leak, ...]
    reference_leaks: tuple[Leak, ...] | None
    motifs: tuple[Motif, ...]
    payloads: tuple[Payload, ...]
    swept: tuple[Swept, ...]
    tried: int
    """Strings run, in hunts and in the sweep."""
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Searcher:
    """One search on one subject."""

    subject: LanguageSubject
    reference: LanguageSubject | None
    sizes: Sizes
    rng: np.random.Generator
    progress: Progress

    def run(self) -> Searched:
        """All acts."""
        seed = int(self.rng.integers(1 << 31))
        ours, theirs, spoken = self._leak(seed)
        repeated = motifs(ours, theirs, self.subject.text)
        known = payloads(self.subject, self.reference, repeated, spoken, self.sizes.payloads)
        self.progress(0.3, f"{len(known)} payload candidates")
        hunted, pool = self._hunt(known)
        swept = self._sweep(repeated)
        tried = len(pool) + 2 * self.sizes.strings
        moving = [one for one in swept[:1] if one.score > LEAST_SCORE or not hunted]
        suspects = [*hunted, *(Suspect(one.string, one.place, (), "sweep") for one in moving)]
        trials = self._confirm(suspects, pool, tried)
        theirs_kept = tuple(theirs) if theirs is not None else None
        return Searched(tuple(ours + spoken), theirs_kept, tuple(repeated), tuple(known), tuple(swept), tried, trials)

    def _leak(self, seed: int) -> tuple[list[Leak], list[Leak] | None, list[Leak]]:
        sizes = self.sizes
        ours = sample(self.subject, sizes.leaks, sizes.leak_tokens, seed, _part(self.progress, 0.0, 0.1))
        if self.reference is None:
            return ours, None, []
        theirs = sample(self.reference, sizes.leaks, sizes.leak_tokens, seed, _part(self.progress, 0.1, 0.2))
        return ours, theirs, amplified(self.subject, self.reference, sizes.amplified, sizes.leak_tokens)

    def _hunt(self, known: Sequence[Payload]) -> tuple[list[Suspect], list[str]]:
        sizes = self.sizes
        worth = [one for one in known if worth_hunting(one, has_reference=self.reference is not None)][: sizes.hunts]
        effort = Effort(sizes.pool, sizes.group, sizes.singles, sizes.pieces, sizes.beam, sizes.longest)
        suspects, pool = [], []
        for i, payload in enumerate(worth):
            share = _part(self.progress, 0.3 + 0.4 * i / len(worth), 0.3 + 0.4 * (i + 1) / len(worth))
            strings = hunt(self.subject, payload.ids, effort, self.rng, share)
            pool += [self.subject.text(prey.ids).strip() for prey in strings]
            suspects.append(Suspect(self.subject.text(strings[0].ids).strip(), "end", payload.ids, "hunt"))
        return suspects, pool

    def _sweep(self, repeated: Sequence[Motif]) -> list[Swept]:
        """Leaked words first, then a seeded draw of the public list."""
        leaked = list(dict.fromkeys(word for motif in repeated for word in motif.text.split() if len(word) > 3))
        leaked = leaked[: self.sizes.strings // 4]
        listed = [RARE_STRINGS[int(i)] for i in self.rng.permutation(len(RARE_STRINGS))]
        strings = (leaked + listed)[: self.sizes.strings]
        requests = SEARCH_REQUESTS[: self.sizes.requests]
        return sweep(self.subject, self.reference, strings, requests, _part(self.progress, 0.7, 0.85))

    def _confirm(self, suspects: Sequence[Suspect], pool: Sequence[str], tried: int) -> tuple[Trial, ...]:
        trials = []
        for i, suspect in enumerate(suspects):
            learned = minimise(self.subject, learn_payload(self.subject, suspect))
            controls = control_strings(self.subject, learned, pool, self.sizes.controls, self.rng)
            trials.append(put_to_trial(self.subject, self.reference, learned, controls, self.sizes.held_out, tried))
            self.progress(0.85 + 0.1 * (i + 1) / len(suspects), f"{i + 1} of {len(suspects)} suspects on trial")
        return tuple(sorted(trials, key=lambda trial: (not trial.confirmed, -_net(trial), trial.p)))


def _net(trial: Trial) -> int:
    return trial.hits - max(trial.control_hits, trial.reference_hits)


def _part(progress: Progress, start: float, stop: float) -> Progress:
    """The same progress, squeezed into a part of the whole."""
    return lambda fraction, what: progress(start + (stop - start) * fraction, what)
