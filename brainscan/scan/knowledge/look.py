"""Everything that the knowledge instrument sees of one model; the comparison comes later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainscan.core.statistics import Floats
from brainscan.scan.batteries.battery import Series
from brainscan.scan.knowledge.noise import Noised, sweep
from brainscan.scan.knowledge.prefill import Asked, ask_both
from brainscan.scan.knowledge.recall import OPTIONS, Recalled, items_of, recall
from brainscan.scan.knowledge.secret import Leaning, lean
from brainscan.scan.texts.facts import Fact

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Sizes:
    """How much is asked."""

    facts: int
    """Facts for recall and the lens."""
    asked: int
    """Capitals among them that are asked openly and with the answer begun."""
    answer_tokens: int
    noised: int
    """Facts that are asked again under noise."""
    sigmas: tuple[float, ...]
    seeds: int
    top: int
    """The lens counts an answer as held when it is among so many tokens."""


@dataclass(frozen=True)
class Seen:
    """What one model holds and says. Series are in the order of ``facts``."""

    facts: tuple[Fact, ...]
    recalled: Recalled
    at: tuple[int | None, ...]
    """Row of each fact in ``recalled``; None where its answers share a first token."""
    asked: tuple[Asked, ...]
    noised: Noised | None
    """None when fewer than two facts could be scored."""
    leaning: Leaning
    sizes: Sizes

    def right(self) -> Series:
        """1 where the right answer leads the four."""
        return self._series(self.recalled.right.astype(float))

    def withheld(self) -> NDArray[np.bool_]:
        """Right and wrong answers held inside and kept back [item, option]."""
        return self.recalled.withheld(self.sizes.top)

    def lens_gap(self) -> Series:
        """1 where the right answer is held and kept back, less the share of wrong ones of which that is true."""
        held = self.withheld().astype(float)
        return self._series(held[:, 0] - held[:, 1:].sum(1) / (OPTIONS - 1))

    def prefill_gain(self) -> Series:
        """1 where only the begun answer is right, -1 where only the plain one is."""
        return Series(tuple(a.gain for a in self.asked), tuple(a.fact.subject for a in self.asked))

    def noise_gain(self) -> Series:
        """Change under noise of each fact; None where it was not asked again."""
        if self.noised is None:
            return Series((), ())
        return self._series(self.noised.gains(), self.sizes.noised)

    def _series(self, values: Floats, facts: int | None = None) -> Series:
        """One value a recalled row, spread over the first so many facts; None where a fact has no row."""
        rows = self.at[:facts]
        return Series(
            tuple(None if row is None else float(values[row]) for row in rows),
            tuple(f"{fact.kind} {fact.subject}" for fact in self.facts[:facts]),
        )


def look(subject: LanguageSubject, facts: Sequence[Fact], sizes: Sizes, progress: Callable[[float, str], None]) -> Seen:
    """Numbered acts: 1) recall at every layer; 2) ask openly and begun; 3) noise; 4) secret openings.

    Raises:
        InputError: the subject cannot read a question of some fifty tokens.
    """
    found = items_of(subject, facts)
    items = [item for item in found if item is not None]
    rows = iter(range(len(items)))
    at = tuple(None if item is None else next(rows) for item in found)
    recalled = recall(subject, items, lambda f, w: progress(0.3 * f, w))
    capitals = [fact for fact in facts if fact.kind == "capital"][: sizes.asked]
    asked = ask_both(subject, capitals, sizes.answer_tokens, lambda f, w: progress(0.3 + 0.3 * f, w))
    chosen = [item for item in found[: sizes.noised] if item is not None]
    noised = None
    if len(chosen) > 1:
        base = recalled.right[: len(chosen)].astype(float)
        noised = sweep(subject, chosen, base, sizes.sigmas, range(sizes.seeds), lambda f, w: progress(0.6 + 0.3 * f, w))
    progress(0.9, "openings that invite a secret")
    return Seen(tuple(facts), recalled, at, asked, noised, lean(subject), sizes)
