"""Dose finding: how much of which candidate, searched against a damage guard. The result is a curve, not a number.

Numbered acts: 1) screen many candidates (layers, kinds) by how likely the behaviour's answers still are; 2) walk each
of the best up the doses, measuring effect and damage at each; 3) choose, among the doses that the guard let pass, the
one with the largest effect, and of equal ones the one with the smallest damage.
Only prompts that the treatment may look at are used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import log_probabilities
from brainscan.treatment.behaviour import Behaviour, rate, spread
from brainscan.treatment.ledger import Distance, read_distance
from brainscan.treatment.protocol import Treatment
from brainscan.treatment.record import DosePoint
from brainscan.treatment.texts.neutral import TEXTS
from brainscan.treatment.treated import treated

Progress = Callable[[float, str], None]
DOSES = (0.25, 0.5, 1.0, 2.0, 4.0)
_HOPELESS = 3.0
"""A dose that damages this many times more than the guard allows ends the walk up."""
_GRIP_TOKENS = 6
_ROUNDS, _CLOSE, _TINY = 5, 0.1, 1e-9
"""Steps towards an equal distance, and how near (in logarithms) is near enough."""


@dataclass(frozen=True)
class Guard:
    """What dose finding may cost."""

    perplexity: float = 1.02
    """Largest perplexity of neutral text, relative to the untreated subject."""
    texts: int = 6
    """Neutral texts that are read at each dose."""
    prompts: int = 12
    """Prompts that are answered at each dose."""


@dataclass(frozen=True)
class DoseCurve:
    """Everything that was tried, and what was chosen."""

    points: tuple[DosePoint, ...]
    chosen: DosePoint | None
    """None when the guard let nothing pass."""
    treatment: Treatment | None
    """The chosen candidate at the chosen dose."""


def find_dose(
    subject: LanguageSubject,
    candidates: Mapping[str, Treatment],
    behaviour: Behaviour,
    guard: Guard = Guard(),
    doses: Sequence[float] = DOSES,
    keep: int = 2,
    progress: Progress = lambda fraction, what: None,
) -> DoseCurve:
    """Search candidates and doses.

    Args:
        candidates: name -> treatment, for example one a layer.
        doses: smallest first.
        keep: how many candidates are walked; all others are left out after screening.
    """
    prompts = spread(behaviour.learn, guard.prompts)
    untreated = read_distance(subject, TEXTS[: guard.texts], prompts[:6])
    chosen = dict(candidates)
    if len(chosen) > keep:
        grips = grip(subject, behaviour, candidates, prompts)
        chosen = {name: candidates[name] for name in sorted(grips, key=lambda name: grips[name])[:keep]}
    points: list[DosePoint] = []
    for i, (name, candidate) in enumerate(chosen.items()):
        for j, dose in enumerate(doses):
            progress((i + j / len(doses)) / len(chosen), f"{name} at dose {dose:g}")
            points.append(_point(subject, name, candidate.at(dose), behaviour, prompts, untreated, guard))
            if points[-1].perplexity - 1 > _HOPELESS * (guard.perplexity - 1) + 0.05:
                break
    held = [point for point in points if point.held]
    best = min(held, key=lambda point: (point.on.value, point.perplexity), default=None)
    return DoseCurve(tuple(points), best, chosen[best.candidate].at(best.dose) if best else None)


def grip(
    subject: LanguageSubject, behaviour: Behaviour, candidates: Mapping[str, Treatment], prompts: Sequence[str]
) -> dict[str, float]:
    """Candidate -> mean log-probability (nats a token) of the untreated subject's answers under it.

    High: the behaviour would still be said. Low: it would not, or nothing would.
    """
    asked = [subject.chat(prompt) for prompt in prompts]
    said = generate(subject, asked, Decoding(max_new=_GRIP_TOKENS))
    rows = [(row, answer.ids) for row, answer in zip(asked, said, strict=True) if answer.ids]
    found = {}
    for name, candidate in candidates.items():
        with treated(subject, candidate):
            scores = log_probabilities(subject, [row for row, _ in rows], [ids for _, ids in rows])
        found[name] = sum(scores) / max(1, sum(len(ids) for _, ids in rows))
    return found


def dose_of_equal_kl(
    subject: LanguageSubject, treatment: Treatment, wanted: float, asked: Sequence[str], guard: Guard = Guard()
) -> float:
    """The dose at which a treatment moves predictions as far as ``wanted`` (mean nats a token), within 1/64 to 64.

    The distance is read on the same texts and prompts as a ``DosePoint``'s.
    """
    untreated = read_distance(subject, TEXTS[: guard.texts], asked[:6])

    def kl(dose: float) -> float:
        with treated(subject, treatment.at(dose)):
            return read_distance(subject, TEXTS[: guard.texts], asked[:6]).kl(untreated)

    tried: dict[float, float] = {}
    dose = 1.0
    for _ in range(_ROUNDS):
        tried[dose] = kl(dose)
        if abs(math.log(max(tried[dose], _TINY) / max(wanted, _TINY))) < _CLOSE:
            break
        # Small changes move predictions by the square of their size.
        dose = min(max(dose * math.sqrt(max(wanted, _TINY) / max(tried[dose], _TINY)), 1 / 64), 64.0)
    return min(tried, key=lambda d: abs(math.log(max(tried[d], _TINY) / max(wanted, _TINY))))


def _point(
    subject: LanguageSubject,
    name: str,
    treatment: Treatment,
    behaviour: Behaviour,
    prompts: Sequence[str],
    untreated: Distance,
    guard: Guard,
) -> DosePoint:
    with treated(subject, treatment):
        seen = read_distance(subject, TEXTS[: guard.texts], prompts[:6])
        on = rate(subject, behaviour, prompts)
    ratio = seen.perplexity() / untreated.perplexity()
    return DosePoint(
        candidate=name,
        dose=treatment.dose,
        on=on,
        perplexity=ratio,
        kl=seen.kl(untreated),
        held=ratio <= guard.perplexity,
    )
