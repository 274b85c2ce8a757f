"""The well-known demonstration: turn one concept up until the model cannot stop talking about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import InputError
from brainscan.core.evidence import Exchange, Finite, Record
from brainscan.treatment.record import Rate

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

Progress = Callable[[float, str], None]
DOSES = (0.0, 2.0, 4.0, 8.0, 12.0)
_TOKENS, _LAYERS = 32, 3


class Turned(Record):
    """Answers at one dose."""

    dose: Finite
    mentions: Rate
    """Answers that speak of the concept."""
    loops: Rate
    """Answers that go round in circles: past some dose nothing else is left."""
    shown: tuple[Exchange, ...]


class TurnedUp(Record):
    """One concept at every dose."""

    subject: str
    concept: str
    sites: tuple[str, ...]
    doses: tuple[Turned, ...]
    best: Finite
    """The dose with the most mentions among those at which at most half of the answers loop."""


@dataclass(frozen=True)
class TurnUpRequest:
    """Which concept of which subject."""

    subject: str
    concept: str
    ask: tuple[str, ...] = ()
    """Requests to answer; twelve everyday ones when empty."""
    doses: tuple[float, ...] = DOSES
    gguf: Path | None = None
    """Write the control vector at the best dose here; at dose 0 it would be one of zeros, and none is written."""
    device: str | None = None


def turn_up(request: TurnUpRequest, progress: Progress) -> TurnedUp:
    """Steer along a concept's direction at several doses and read the answers.

    Raises:
        InputError: the concept has no word. SubjectError: the model cannot be used. StorageError: the disk refused.
    """
    from brainscan.treatment.directions import concept_direction
    from brainscan.treatment.export import export_control_vector
    from brainscan.treatment.kinds.steer import Steer
    from brainscan.treatment.texts.neutral import REQUESTS
    from brainscan.treatment.treated import treated

    words = spoken_words(request.concept)
    subject = open_subject(request.subject, device=request.device, progress=lambda f, w: progress(0.1 * f, w))
    middle = range(subject.n_layers // 3, 2 * subject.n_layers // 3)
    sites = [f"resid_post.{layer}" for layer in list(middle)[:: max(1, len(middle) // _LAYERS)][:_LAYERS]]
    treatment = Steer(concept_direction(subject, request.concept, sites))
    asked = request.ask or REQUESTS[:12]
    found = []
    for i, dose in enumerate(request.doses):
        progress(0.1 + 0.9 * i / len(request.doses), f"dose {dose:g}")
        with treated(subject, treatment.at(dose)):
            found.append(_answered(subject, asked, dose, words))
    sane = [one for one in found if one.loops.value <= 0.5] or found[:1]
    best = max(sane, key=lambda one: (one.mentions.value, -one.dose)).dose
    if request.gguf is not None and best:
        export_control_vector(treatment.at(best), subject, request.gguf)
    progress(1.0, "done")
    return TurnedUp(
        subject=subject.card.name, concept=request.concept, sites=tuple(sites), doses=tuple(found), best=best
    )


def spoken_words(concept: str) -> tuple[str, ...]:
    """The concept's words by which a mention is known, shortened so that plurals count.

    Raises:
        InputError: there is none of three letters or more.
    """
    words = tuple(
        word.casefold()[:6] for word in re.findall(r"\w{3,}", concept) if word.casefold() not in ("the", "and")
    )
    if not words:
        raise InputError(f"{concept!r} holds no word to look for.", 'Name a thing, for example "the sea".')
    return words


def _answered(subject: LanguageSubject, asked: Sequence[str], dose: float, words: tuple[str, ...]) -> Turned:
    from brainscan.treatment.behaviour import answers
    from brainscan.treatment.ledger import loops

    said = answers(subject, asked, _TOKENS)
    spoken = [any(re.search(rf"\b{re.escape(word)}", answer.casefold()) for word in words) for answer in said]
    shown = tuple(Exchange(prompt=p, answer=a) for p, a in zip(asked, said, strict=True))
    circles = sum(loops(answer) for answer in said)
    return Turned(
        dose=dose, mentions=Rate.of(sum(spoken), len(said)), loops=Rate.of(circles, len(said)), shown=shown[:4]
    )
