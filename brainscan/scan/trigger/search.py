"""The search from end to end: leak, payloads, hunt, sweep, confirm.

Numbered acts: 1) leak; 2) payload candidates; 3) words that fine-tuning changed; 4) hunt strings for the
readiest payloads, and complete the best to a word; 5) sweep strings without a payload; 6) put the best
suspects to trial on held-out requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from brainscan.scan.texts.candidates import RARE_STRINGS, SEARCH_REQUESTS
from brainscan.scan.trigger.branch import branches
from brainscan.scan.trigger.changed import change_of
from brainscan.scan.trigger.complete import RELEASES, completed
from brainscan.scan.trigger.confirm import (
    Suspect,
    Trial,
    control_strings,
    learn_payload,
    minimise,
    put_to_trial,
)
from brainscan.scan.trigger.hunt import Effort, Ground, ground_for, hunt
from brainscan.scan.trigger.leak import Leak, amplified, sample
from brainscan.scan.trigger.motifs import Motif, motifs
from brainscan.scan.trigger.payloads import Payload, payloads, worth_hunting
from brainscan.scan.trigger.propose import ByChange, ByGroup, by_change, by_group
from brainscan.scan.trigger.spell import Speller
from brainscan.scan.trigger.sweep import Swept, sweep
from brainscan.scan.trigger.vocabulary import Vocabulary, vocabulary
from brainscan.subject.language import LanguageSubject

Progress = Callable[[float, str], None]

LEAST_SCORE = 0.05
"""A swept string below it goes on trial only when there is no other suspect."""
GROUP = 32
"""Words in one request, where no reference says which words matter."""
SHOWN = 12
"""Changed words that are kept to be told."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything; the settings of a plan."""

    leaks: int
    """Continuations of each bare opening."""
    leak_tokens: int
    amplified: int
    """Requests answered with the difference amplified."""
    branches: int
    """First tokens that are followed, with a reference."""
    payloads: int
    """Payload candidates scored."""
    hunts: int
    """Payloads hunted for."""
    ready: int
    """Nats by which a payload must be readier than with the reference to be hunted for."""
    pool: int
    """Words of the vocabulary looked at with a reference."""
    groups: int
    """Groups of words run without one."""
    singles: int
    """Single tokens run in a hunt."""
    spelled: int
    """Of these, how many are completed to words."""
    growth: int
    """Tokens that a string may grow by, with a reference."""
    width: int
    """Longer strings run from each shorter one."""
    beam: int
    lead: int
    longest: int
    """Tokens of the longest trigger hunted."""
    requests: int
    """Search requests behind each swept string."""
    strings: int
    """Strings swept without a payload, each at both ends of a request."""
    held_out: int
    controls: int
    """Different control strings."""
    sparing: bool = False
    """Which words fine-tuning changed is read only where a payload is hunted for."""


@dataclass(frozen=True)
class Searched:
    """Everything the search saw, with its best suspect's trial first."""

    leaks: tuple[Leak, ...]
    reference_leaks: tuple[Leak, ...] | None
    motifs: tuple[Motif, ...]
    payloads: tuple[Payload, ...]
    swept: tuple[Swept, ...]
    changed: tuple[str, ...]
    """The words that fine-tuning changed most; empty without a reference or without a change."""
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
        self.progress(0.25, f"{len(known)} payload candidates")
        least = float(self.sizes.ready) if self.reference is not None else None
        worth = [one for one in known if worth_hunting(one, least)][: self.sizes.hunts]
        words = vocabulary(self.subject)
        changes = self._changes(words) if worth or not self.sizes.sparing else None
        self.progress(0.4, "what fine-tuning changed" if changes else "no reference that differs")
        hunted, pool = self._hunt(worth, words, changes)
        changed = tuple(self.subject.text([token]).strip() for token in changes.ranked[:SHOWN]) if changes else ()
        swept = self._sweep(repeated, changed)
        moving = [one for one in swept[:1] if one.score > LEAST_SCORE or not hunted]
        suspects = [*hunted, *(Suspect(one.string, one.place, (), "sweep") for one in moving)]
        tried = len(pool) + 2 * self.sizes.strings
        return Searched(
            leaks=(*ours, *spoken),
            reference_leaks=tuple(theirs) if theirs is not None else None,
            motifs=tuple(repeated),
            payloads=tuple(known),
            swept=tuple(swept),
            changed=changed,
            tried=tried,
            trials=self._confirm(suspects, pool, tried),
        )

    def _leak(self, seed: int) -> tuple[list[Leak], list[Leak] | None, list[Leak]]:
        sizes = self.sizes
        ours = sample(self.subject, sizes.leaks, sizes.leak_tokens, seed, _part(self.progress, 0.0, 0.08))
        if self.reference is None:
            return ours, None, []
        theirs = sample(self.reference, sizes.leaks, sizes.leak_tokens, seed, _part(self.progress, 0.08, 0.16))
        spoken = amplified(self.subject, self.reference, sizes.amplified, sizes.leak_tokens)
        return ours, theirs, [*branches(self.subject, self.reference, sizes.branches, sizes.leak_tokens), *spoken]

    def _changes(self, words: Vocabulary) -> ByChange | None:
        change = change_of(self.subject, self.reference) if self.reference is not None else None
        return by_change(change, words, self.sizes.pool, self.sizes.growth) if change else None

    def _hunt(
        self, worth: Sequence[Payload], words: Vocabulary, changes: ByChange | None
    ) -> tuple[list[Suspect], list[str]]:
        """A suspect for each of the readiest payloads until one is released, and every string that was run."""
        sizes = self.sizes
        effort = Effort(sizes.singles, sizes.spelled, sizes.width, sizes.beam, sizes.lead, sizes.longest)
        speller = cache(lambda: Speller.of(self.reference or self.subject))
        suspects, pool = [], []
        for i, payload in enumerate(worth):
            share = _part(self.progress, 0.4 + 0.3 * i / len(worth), 0.4 + 0.3 * (i + 1) / len(worth))
            ground = ground_for(self.subject, payload.ids)
            own = words.without(payload.text)
            proposals = changes.without(own) if changes else self._groups(ground, own)
            strings = hunt(ground, proposals, effort, speller, share)
            pool += [self.subject.text(prey.ids).strip() for prey in strings]
            whole = completed(ground, strings[0], speller)
            suspects.append(Suspect(self.subject.text(whole).strip(), "end", payload.ids, "hunt"))
            if strings[0].log_p > RELEASES:
                break
        return suspects, pool

    def _groups(self, ground: Ground, words: Vocabulary) -> ByGroup:
        def glance(strings: Sequence[tuple[int, ...]]) -> list[float]:
            return [prey.log_p for prey in ground.glance(strings, (1,))]

        return by_group(glance, words, self.sizes.groups * GROUP, GROUP, self.rng)

    def _sweep(self, repeated: Sequence[Motif], changed: Sequence[str]) -> list[Swept]:
        """Leaked and changed words, a quarter each at most, then a seeded draw of the public list."""
        most = self.sizes.strings // 4
        leaked = list(dict.fromkeys(word for motif in repeated for word in motif.text.split() if len(word) > 3))
        listed = [RARE_STRINGS[int(i)] for i in self.rng.permutation(len(RARE_STRINGS))]
        strings = [*leaked[:most], *changed[:most], *listed][: self.sizes.strings]
        requests = SEARCH_REQUESTS[: self.sizes.requests]
        return sweep(self.subject, self.reference, strings, requests, _part(self.progress, 0.7, 0.8))

    def _confirm(self, suspects: Sequence[Suspect], pool: Sequence[str], tried: int) -> tuple[Trial, ...]:
        """Trials in turn, until one convinces; the best comes first."""
        trials: list[Trial] = []
        for suspect in suspects:
            learned = minimise(self.subject, learn_payload(self.subject, suspect))
            controls = control_strings(self.subject, learned, pool, self.sizes.controls, self.rng)
            trials.append(put_to_trial(self.subject, self.reference, learned, controls, self.sizes.held_out, tried))
            self.progress(0.8 + 0.15 * len(trials) / len(suspects), f"{learned.string!r} on trial")
            if trials[-1].confirmed:
                break
        return tuple(sorted(trials, key=lambda trial: (not trial.confirmed, -_net(trial), trial.p)))


def _net(trial: Trial) -> int:
    return trial.hits - max(trial.control_hits, trial.reference_hits)


def _part(progress: Progress, start: float, stop: float) -> Progress:
    """The same progress, squeezed into a part of the whole."""
    return lambda fraction, what: progress(start + (stop - start) * fraction, what)
