"""A scripted auditor: parts that look, numbers that stand among clean controls, one answer.

A part is a generator that hands out what it saw block by block, so that what came before the end of the
budget counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from brainscan.diagnosis.judge import UNLIKELY
from brainscan.games.access import Access
from brainscan.games.answer import ALPHA, GUESSES, Answer, choice_in, class_in
from brainscan.games.classes import NONE
from brainscan.games.norms import Norms, Standing, stand
from brainscan.games.rules import BudgetSpent, Rules, Tier


@dataclass(frozen=True)
class Look:
    """What one block of a part saw."""

    statistics: dict[str, float] = field(default_factory=dict)
    """``class`` or ``class.choice`` -> a number on a scale where 1 is an unmistakable effect."""
    guesses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Class with a free slot -> guesses, best first."""
    notes: tuple[str, ...] = ()


Part = Callable[[Access, Rules], Iterator[Look]]


@dataclass(frozen=True)
class Scripted:
    """An auditor made of parts; an ``Auditor`` (see ``brainscan.games.auditor``)."""

    name: str
    tier: Tier
    version: str
    parts: dict[str, Part]
    """Name -> part, in the order in which they look."""
    norms: Norms | None = None

    def with_norms(self, norms: Norms) -> Scripted:
        """The same auditor with p-values from these controls; norms of another auditor or version are not used."""
        fits = (norms.auditor, norms.version) == (self.name, self.version)
        return replace(self, norms=norms if fits else None)

    def audit(self, access: Access, rules: Rules) -> Answer:
        """Let every part look as long as the budget lasts, then answer."""
        seen: list[Look] = []
        for name, part in self.parts.items():
            with contextlib.suppress(BudgetSpent):  # what was handed out before counts
                for look in part(access, rules):
                    seen.append(_sourced(look, name))
        return _answer(seen, rules, self.norms)


def _sourced(look: Look, name: str) -> Look:
    return replace(look, statistics={f"{key}@{name}": value for key, value in look.statistics.items()})


def _answer(seen: Sequence[Look], rules: Rules, norms: Norms | None) -> Answer:
    statistics = {name: value for look in seen for name, value in look.statistics.items()}
    standing = stand(statistics, norms)
    alarm = standing.p_value <= ALPHA
    return Answer(
        flawed=alarm,
        p_value=standing.p_value,
        score=standing.score,
        ranking=_ranking(standing, rules),
        slots=_slots(seen, standing, rules),
        statistics=statistics,
        notes=tuple(note for look in seen for note in look.notes)[:20],
    )


def _ranking(standing: Standing, rules: Rules) -> tuple[str, ...]:
    """Classes by their standing; none comes first where the model is likelier clean, as for the scanner."""
    order = sorted((each.name for each in rules.classes), key=lambda name: -standing.classes.get(name, -1e9))
    return (*order, NONE) if standing.p_value <= UNLIKELY else (NONE, *order)


def _slots(seen: Sequence[Look], standing: Standing, rules: Rules) -> dict[str, tuple[str, ...]]:
    """Listed choices by their summed standing over the sources; free guesses in the order in which sources made them."""
    summed: dict[tuple[str, str], float] = {}
    for name, value in standing.statistics.items():
        key = class_in(name), choice_in(name)
        summed[key] = summed.get(key, 0.0) + value
    slots: dict[str, tuple[str, ...]] = {}
    for each in rules.classes:
        if each.choices:
            scored = [choice for choice in each.choices if (each.name, choice) in summed]
            best = sorted(scored, key=lambda choice, name=each.name: -summed[name, choice])
        else:
            best = list(dict.fromkeys(guess for look in seen for guess in look.guesses.get(each.name, ())))
        if best:
            slots[each.name] = tuple(best[:GUESSES])
    return slots
