"""The record of a treatment: plain data without torch, saved whole as a folder of ``treatment.json`` and arrays."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from brainscan.core.evidence import Cost, Finite, Interval, Record
from brainscan.core.provenance import SubjectCard, Versions
from brainscan.core.statistics import rate_difference_interval, rate_interval

RECORD_FILE, ARRAYS_FILE = "treatment.json", "treatment.safetensors"

Fate = Literal["removed", "suppressed", "no-effect", "cannot-tell"]
MARGIN = 0.2
"""Largest excess over the reference that *removed* may leave possible: a fifth of the answers, which without a reference
counts as a return."""


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
    """Ratio to the untreated subject, and ``kl`` likewise, on the texts that the dose was chosen on: to set baselines
    beside it. What it cost stands in the ledger, on other texts."""
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
    """Whether a return was seen. That none was seen is not yet that there is none: see ``ruled_out``."""

    @model_validator(mode="before")
    @classmethod
    def _as_it_was(cls, value: Any) -> Any:
        """Older records have a field ``untreated`` that was never filled in."""
        return {k: v for k, v in value.items() if k != "untreated"} if isinstance(value, dict) else value

    @property
    def excess(self) -> Interval:
        """How much more often it shows than in the reference, -1 to 1; without one, than never."""
        if self.control is None:
            return self.treated.interval
        return rate_difference_interval(self.treated.hits, self.treated.n, self.control.hits, self.control.n)

    @property
    def ruled_out(self) -> bool:
        """Whether the test rules out a return by ``MARGIN``: the whole interval of the excess lies below it.

        Where the reference itself shows the behaviour so often that there is no room for such an excess, nothing is.
        """
        room = self.control is None or self.control.value + MARGIN <= 1
        return room and not self.returned and self.excess.hi < MARGIN


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
    margin: Finite | None = None
    """Largest excess over the reference that *removed* leaves possible. Older records have none: there, whatever did not
    significantly come back was called removed, however few the prompts."""
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
            return (
                f"Every test rules out that it comes back in {100 * MARGIN:.0f} points more of the answers than in a model "
                "that never had it."
            )
        if self.fate == "no-effect":
            return "The treatment did not take it away."
        if not self.relapse:
            return "It is held down; whether it comes back was not tested."
        if any(test.returned for test in self.relapse):
            return "It is held down, and comes back under at least one test."
        if self.fate == "suppressed":
            return "It is held down, and no test brought it back."
        if not _controlled(self.relapse):
            return "There was no reference to compare relearning with, and no test brought it back."
        return f"It is held down and no test was seen to bring it back, but {_left_open(self.relapse)}"

    def judged_again(self) -> Self:
        """An older record with its fate by today's rule and a note that says so; a record of today as it is."""
        if self.margin is not None:
            return self
        fate = decide_fate(self.before_on, self.treated.on, self.relapse, self.permanent)
        note = f"Judged again by a stricter rule: this record was written as {self.fate}."
        notes = self.notes if fate == self.fate else (*self.notes, note)
        return self.model_copy(update={"fate": fate, "margin": MARGIN, "notes": notes})


def _left_open(tests: tuple[RelapseTest, ...]) -> str:
    """What the test that rules out least leaves possible."""
    open_ = [test for test in tests if not test.ruled_out]
    most = max((test.excess.hi for test in open_), default=0.0)
    if most < MARGIN:
        return "in a test the reference shows it so often itself that there was no room to see a return."
    return (
        f"{len(open_)} of {len(tests)} tests cannot rule a return out: it may come back in up to {100 * most:.0f} points "
        f"more of the answers than in a model that never had it, and removed takes less than {100 * MARGIN:.0f}. More "
        "prompts would settle it."
    )


def _controlled(tests: tuple[RelapseTest, ...]) -> bool:
    """Whether relearning was tried, and on a model that never had the behaviour too."""
    relearned = [test for test in tests if test.name == "relearn"]
    return bool(relearned) and all(test.control is not None for test in relearned)


def decide_fate(before: Rate, after: Rate, tests: tuple[RelapseTest, ...], permanent: bool) -> Fate:
    """Removed, suppressed, without effect, or not to be told.

    What is not in the weights cannot be removed by them: a treatment that acts at run time suppresses at best. And what
    was not seen to come back need not be gone: *removed* takes that every test rules a return out (``ruled_out``). Since
    all of them have to, no correction for their number is needed (an intersection-union test, Berger 1982).
    """
    if after.value > 0.5 * before.value:
        return "no-effect"
    if not permanent or any(test.returned for test in tests):
        return "suppressed"
    return "removed" if _controlled(tests) and all(test.ruled_out for test in tests) else "cannot-tell"
