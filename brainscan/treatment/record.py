"""The record of a treatment: plain data without torch, saved whole as a folder of ``treatment.json`` and arrays."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from brainscan.core.evidence import Cost, Finite, Interval, Record
from brainscan.core.provenance import SubjectCard, Versions
from brainscan.core.statistics import rate_interval

RECORD_FILE, ARRAYS_FILE = "treatment.json", "treatment.safetensors"

Fate = Literal["removed", "suppressed", "no-effect", "cannot-tell"]


class Rate(Record):
    """A count out of n with its exact interval."""

    hits: int
    n: int
    interval: Interval

    @classmethod
    def of(cls, hits: int, n: int) -> Self:
        """The rate with its Clopper-Pearson interval."""
        return cls(hits=hits, n=n, interval=rate_interval(hits, n))

    @property
    def value(self) -> float:
        """0 to 1; 0 for n = 0."""
        return self.hits / self.n if self.n else 0.0


class Compared(Record):
    """One quantity before and under treatment."""

    name: str
    """For example "perplexity" or "capability.facts"."""
    before: Finite
    after: Finite
    change: Finite
    """After minus before; for perplexity after over before, minus 1."""
    interval: Interval
    """Of the change, paired by text or item."""
    n: int
    unit: Literal["ratio", "rate", "nats"]
    higher_is: Literal["worse", "better", "neither"]
    meaning: str


class Ledger(Record):
    """What the treatment did beside what it was for."""

    rows: tuple[Compared, ...]

    def get(self, name: str) -> Compared | None:
        """The row of that name, if it was measured."""
        return next((row for row in self.rows if row.name == name), None)


class DosePoint(Record):
    """One dose of one candidate, on prompts that the treatment may look at."""

    candidate: str
    dose: Finite
    on: Rate
    perplexity: Finite
    """Ratio to the untreated subject; 1 is unchanged."""
    kl: Finite
    """Mean nats a token, to the untreated subject."""
    held: bool
    """Whether the damage guard let it pass."""


class Measured(Record):
    """One treatment or baseline at one dose, on held-out prompts."""

    kind: str
    words: str
    dose: Finite
    on: Rate
    off: Rate
    kl: Finite
    perplexity: Finite
    ledger: Ledger | None = None
    seconds: Finite = 0.0
    """To make it, dose finding included."""


class RelapseTest(Record):
    """One attempt to bring the behaviour back."""

    name: str
    words: str
    treated: Rate
    control: Rate | None = None
    """The same test on the reference, which never had it."""
    returned: bool

    @model_validator(mode="before")
    @classmethod
    def _as_it_was(cls, value: Any) -> Any:
        """Older records have a field ``untreated`` that was never filled in."""
        return {k: v for k, v in value.items() if k != "untreated"} if isinstance(value, dict) else value


class TreatmentRecord(Record):
    """Everything about one treatment of one subject."""

    schema_: Literal["brainscan.treatment/1"] = "brainscan.treatment/1"
    subject: SubjectCard
    reference: SubjectCard | None
    behaviour: str
    kind: str
    words: str
    dose: Finite
    settings: dict[str, Any]
    sha256: str
    """Hash of kind, settings and arrays."""
    permanent: bool
    curve: tuple[DosePoint, ...]
    guard: Finite
    """Largest ratio of perplexity that dose finding let pass."""
    before_on: Rate
    before_off: Rate
    treated: Measured
    baselines: tuple[Measured, ...]
    relapse: tuple[RelapseTest, ...]
    fate: Fate
    notes: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    """Folders of the scans before and under treatment, where they were made."""
    command: str = ""
    seed: int = 0
    cost: Cost = Cost()
    versions: Versions

    @property
    def meaning(self) -> str:
        """What the fate says here, in one sentence."""
        if self.fate == "removed":
            return "No test brought it back more than it brings it out of a model that never had it."
        if self.fate == "no-effect":
            return "The treatment did not take it away."
        if not self.relapse:
            return "It is held down; whether it comes back was not tested."
        if any(test.returned for test in self.relapse):
            return "It is held down, and comes back under at least one test."
        if self.fate == "suppressed":
            return "It is held down, and no test brought it back."
        return "There was no reference to compare relearning with, and no test brought it back."


def decide_fate(before: Rate, after: Rate, tests: tuple[RelapseTest, ...], permanent: bool) -> Fate:
    """Removed, suppressed, without effect, or not to be told.

    What is not in the weights cannot be removed by them: a treatment that acts at run time suppresses at best.
    """
    if after.value > 0.5 * before.value:
        return "no-effect"
    if not permanent or any(test.returned for test in tests):
        return "suppressed"
    relearned = [test for test in tests if test.name == "relearn"]
    return "removed" if relearned and all(test.control is not None for test in relearned) else "cannot-tell"
