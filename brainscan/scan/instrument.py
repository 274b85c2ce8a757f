"""The protocol of an instrument, what it is given, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from brainscan.core.evidence import Evidence, Figure, Measurement
from brainscan.core.registry import Registry
from brainscan.scan.record import Arrays, Step

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

INSTRUMENTS: Registry[Instrument] = Registry(
    "an instrument",
    "brainscan.instruments",
    {
        "behaviour": "brainscan.scan.instruments.behaviour:INSTRUMENT",
        "refusal": "brainscan.scan.instruments.refusal:INSTRUMENT",
        "contrast": "brainscan.scan.instruments.contrast:INSTRUMENT",
        "weights": "brainscan.scan.instruments.weights:INSTRUMENT",
        "logits": "brainscan.scan.instruments.logits:INSTRUMENT",
        "lens": "brainscan.scan.instruments.lens:INSTRUMENT",
        "amplify": "brainscan.scan.instruments.amplify:INSTRUMENT",
        "phrases": "brainscan.scan.instruments.phrases:INSTRUMENT",
        "trigger": "brainscan.scan.instruments.trigger:INSTRUMENT",
        "knowledge": "brainscan.scan.instruments.knowledge:INSTRUMENT",
        "situations": "brainscan.scan.instruments.situations:INSTRUMENT",
        "words": "brainscan.scan.instruments.words:INSTRUMENT",
        "spoken": "brainscan.scan.instruments.spoken:INSTRUMENT",
        "openings": "brainscan.scan.instruments.openings:INSTRUMENT",
        "passwords": "brainscan.scan.instruments.passwords:INSTRUMENT",
        "circuit": "brainscan.scan.instruments.circuit:INSTRUMENT",
    },
)
"""Name -> import path, in the order in which a plan runs them."""


@dataclass(frozen=True)
class Workload:
    """What a step will cost, for the plan's estimate."""

    tokens_read: int = 0
    """Tokens pushed through the subject, reference included."""
    tokens_written: int = 0
    """Tokens generated, reference included."""


@dataclass(frozen=True)
class Examination:
    """What an instrument is given to look at and with."""

    subject: LanguageSubject
    reference: LanguageSubject | None
    step: Step
    seed: int
    progress: Callable[[float, str], None] = field(default=lambda fraction, what: None)
    """Call with the fraction done (0..1) and a few words, at least every few seconds."""

    def rng(self, *names: str) -> np.random.Generator:
        """A generator of its own for each named purpose, so that adding one draw moves no other."""
        words = [self.seed, *(byte for name in (self.step.instrument, *names) for byte in name.encode())]
        return np.random.default_rng(words)


@dataclass(frozen=True)
class Report:
    """What an instrument hands back."""

    measurements: tuple[Measurement, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    figures: tuple[Figure, ...] = ()
    arrays: Arrays = field(default_factory=dict)
    """Arrays that the figures name."""
    notes: tuple[str, ...] = ()


@runtime_checkable
class Instrument(Protocol):
    """One way to look at a subject.

    An instrument holds no state: the same examination gives the same report. Settings come from
    ``settings(plan)`` and are printed with the plan. ``check_instrument`` in
    ``brainscan.scan.conformance`` judges any implementation.
    """

    name: str
    """Prefix of its measurements' names."""
    title: str
    """A few words for the plan: "Short answers to harmful requests"."""
    needs_reference: bool
    version: int
    """Raise it with every change to what its measurements mean; calibrations of another version are not used."""

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Settings under the plan quick, standard, full or audit; None to sit this plan out."""
        ...

    def texts(self) -> tuple[str, ...]:
        """Every text that it may use, for the plan's hash."""
        ...

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """Estimated tokens under these settings."""
        ...

    def run(self, examination: Examination) -> Report:
        """Look. Raises BrainscanError when it cannot; the step is then recorded as failed."""
        ...
