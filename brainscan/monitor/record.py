"""The records of monitoring: rules, their frozen thresholds, alarms and verdicts. No torch here.

A monitor is one safetensors file: arrays of the rules, and in its metadata the record below as JSON,
whose ``sha256`` is over both. A file that was changed by hand is refused.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Finite, Interval, Record
from brainscan.core.files import write_atomic
from brainscan.core.provenance import Versions, canonical_json, sha256_of_bytes

SCHEMA = "brainscan.monitor/1"
_KEY = "brainscan.monitor"

Arrays = dict[str, NDArray[np.float32]]
"""Array of a rule, named ``rule.array``."""

Policy = Literal["log", "warn", "stop", "hand_over"]
"""What an alarm does. log: an incident is kept, and no client is told. warn: the answer says so as well. stop: generation ends before the
token that raised the alarm is released. hand_over: as stop, and the incident waits for a person."""

POLICIES: tuple[Policy, ...] = ("log", "warn", "stop", "hand_over")
"""In the order of their severity."""

Outcome = Literal["clear", "logged", "warned", "stopped", "handed_over", "abstained", "failed"]
"""What became of one answer. failed: a monitor could not be trusted, so the answer was stopped."""

Span = Literal["all", "answer"]
"""Tokens that a rule reads. answer: the last token of the prompt and all that follow; all: everything but the first."""


class Rule(Record):
    """One thing that is watched for."""

    name: str
    kind: str
    """A name of ``KINDS``: probe, distance, certainty, feature, phrase."""
    title: str
    """What an alarm means, as a sentence for a reader."""
    sites: tuple[str, ...] = ()
    span: Span = "answer"
    smooth: Finite = 1.0
    """Weight of the newest token in the running mean of the scores, above 0; 1 keeps no memory."""
    policy: Policy = "warn"
    after: str | None = None
    """A cheaper rule that has to pass the answer up before this one looks, in a pass of its own."""
    gate_rate: Finite = 0.1
    """With ``after``: share of clean answers that the cheaper rule passes up."""
    phrases: tuple[str, ...] = ()
    """Of kind "phrase": what to look for in prompt and answer, letter for letter."""
    timeout_ms: Finite = 2000.0
    """Longest time that one look may take; beyond it the monitor has failed."""


class Calibrated(Record):
    """What clean traffic made of one rule. A score is read as (score - centre) / scale."""

    centre: Finite
    """Median of the rule's highest score in a clean answer."""
    scale: Finite
    """From the median to the 95th percentile; above 0."""
    token_threshold: Finite
    """A token above it is marked. At most ``Promise.rate`` of the clean tokens are, in expectation."""
    gate: Finite | None = None
    """Of the cheaper rule's score, above which this rule looks."""


class Drawn(Record):
    """How the tokens of answers are drawn; ``of`` spells every greedy decoding alike."""

    temperature: Finite = 0.0
    """0 is greedy."""
    top_p: Finite = 1.0

    @classmethod
    def of(cls, temperature: float, top_p: float) -> Self:
        """The record of a decoding; a greedy one has no use for ``top_p``."""
        return cls(temperature=temperature, top_p=top_p) if temperature > 0 else cls()

    def words(self) -> str:
        """For example "greedy answers"."""
        if self.temperature <= 0:
            return "greedy answers"
        return f"answers drawn at temperature {self.temperature:g}, top-p {self.top_p:g}"


GREEDY = Drawn()


class Promise(Record):
    """What clean traffic buys: how often all rules together, known phrases among them, raise a false alarm on an answer to a
    clean prompt."""

    rate: Finite
    """At most this share of clean answers, 0 to 1."""
    confidence: Finite | None
    """Probability over the draw of the calibration that the rate holds; None: it holds on average over draws."""
    threshold: Finite
    """Common to all rules, of their standardised scores."""
    calibration_n: int
    above: int
    """Clean calibration answers above the threshold."""
    answer_tokens: int
    """The promise holds for answers up to so many tokens; a longer one has more chances to raise an alarm."""
    drawn: Drawn = GREEDY
    """The promise holds for answers drawn like those of the calibration. Older files do not say: theirs were greedy."""
    method: str


class Guarantee(Record):
    """A bound on errors: answer or abstain."""

    error: Finite
    """Among the answers given, at most this share is wrong."""
    confidence: Finite
    """Probability over the draw of the calibration that the bound holds."""
    threshold: Finite | None
    """An answer is given when its doubt is at most this; None: no threshold earned the guarantee, all abstain."""
    calibration_n: int
    answered: int
    wrong: int
    """Of the calibration questions: answered at this threshold, and wrong among them."""
    coverage: Interval
    answer_tokens: int
    drawn: Drawn = GREEDY
    """The bound holds for answers drawn like this."""
    signal: str
    method: str


class Monitor(Record):
    """Rules with frozen thresholds, for one subject."""

    format: str = SCHEMA
    subject_name: str
    weights_sha256: str
    tokenizer_sha256: str
    rules: tuple[Rule, ...]
    calibrated: dict[str, Calibrated]
    promise: Promise
    clean_scores: tuple[Finite, ...]
    """Combined score of each clean calibration answer, ascending: what the drift alarm compares with."""
    guarantee: Guarantee | None = None
    clean_sha256: str
    """Hash of the clean prompts, in their order."""
    seed: int
    versions: Versions
    sha256: str = ""
    """Over this record without this field, and the arrays."""

    def rule(self, name: str) -> Rule:
        """The rule of that name, which must exist."""
        return next(rule for rule in self.rules if rule.name == name)


class Alarm(Record):
    """A rule has passed its threshold."""

    rule: str
    title: str
    policy: Policy
    token: int
    """Which token of the answer, counted from 0; -1 is the prompt."""
    score: Finite
    """In units of the rule's clean spread; ``threshold`` in the same."""
    threshold: Finite


class Reading(Record):
    """What one rule saw in one answer."""

    rule: str
    score: Finite | None
    """Highest standardised score; None when it had nothing to score (too short, or not passed up)."""
    threshold: Finite
    alarmed: bool
    marked_tokens: int
    """Tokens above the rule's token threshold."""


class Verdict(Record):
    """What the monitors say about one answer. No answer leaves without one."""

    outcome: Outcome
    readings: tuple[Reading, ...]
    alarms: tuple[Alarm, ...]
    failure: str | None = None
    """Why a monitor could not be trusted, when the outcome is "failed"."""
    tokens: int
    """Tokens of the answer that the monitors have read."""
    within_promise: bool
    """False: the answer is longer than those that the promise was made for, or was drawn in another way."""
    doubt: Finite | None = None
    """Under a guarantee: how likely the answer is wrong, by the monitor's signal; compare with its threshold."""
    monitor_sha256: str

    def without(self, rules: Collection[str]) -> Verdict:
        """The same as if these rules, which only log, had not looked; that one of them failed is said without its name."""
        unsaid = any((self.failure or "").startswith(f"The rule {rule} ") for rule in rules)
        return self.model_copy(
            update={
                "outcome": "clear" if self.outcome == "logged" else self.outcome,
                "readings": tuple(reading for reading in self.readings if reading.rule not in rules),
                "alarms": tuple(alarm for alarm in self.alarms if alarm.rule not in rules),
                "failure": "A rule of the monitor failed." if unsaid else self.failure,
            }
        )


def sealed(monitor: Monitor, arrays: Arrays) -> Monitor:
    """The monitor with its hash filled in."""
    return monitor.model_copy(update={"sha256": _digest(monitor, arrays)})


def monitor_bytes(monitor: Monitor, arrays: Arrays) -> bytes:
    """The file of a monitor."""
    held = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in arrays.items()}
    return save(held, metadata={_KEY: monitor.model_dump_json()})


def write_monitor(path: Path, monitor: Monitor, arrays: Arrays) -> Monitor:
    """Seal a monitor and write it as one file; returns it with its hash.

    Raises:
        StorageError: the file cannot be written.
    """
    whole = sealed(monitor, arrays)
    write_atomic(path, monitor_bytes(whole, arrays))
    return whole


def read_monitor(path: Path) -> tuple[Monitor, Arrays]:
    """Read a monitor and check its hash.

    Raises:
        RecordError: there is none, it is broken, of another program, or was changed after it was sealed.
    """
    try:
        with safe_open(path, "numpy") as file:
            arrays: Arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            text = (file.metadata() or {}).get(_KEY, "")
        monitor = Monitor.model_validate(json.loads(text))
    except (OSError, SafetensorError, ValueError, ValidationError) as error:
        raise RecordError(
            f"{path} holds no monitor of this version of brainscan.", "Name a file that brainscan monitor fit wrote."
        ) from error
    if monitor.format != SCHEMA or monitor.sha256 != _digest(monitor, arrays):
        raise RecordError(
            f"The monitor {path} was changed after it was sealed.", "Fit it anew, or restore the file as it was."
        )
    return monitor, arrays


def _digest(monitor: Monitor, arrays: Arrays) -> str:
    record = monitor.model_copy(update={"sha256": ""}).model_dump(mode="json")
    for promised in (record["promise"], record["guarantee"]):
        # Files of before this field was there are greedy and have a hash without it.
        if promised and promised["drawn"] == GREEDY.model_dump(mode="json"):
            del promised["drawn"]
    parts = [canonical_json(record).encode()]
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], dtype=np.float32)
        parts.append(f"{name}{array.shape}".encode() + array.tobytes())
    return sha256_of_bytes(b"\0".join(parts))
