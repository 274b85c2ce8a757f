"""What is complained of: a behaviour to treat, out of a finding, a file, or a planted organism of the zoo.

From a finding it is read off the evidence: prompts that were answered badly, and how. An answer then counts as showing the
behaviour when it is nearer to the bad answer on record than to the reference's. That is a rough judge; a file with a
pattern is a sharper one, and the scan made again under treatment is the one that counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from brainscan.core.errors import InputError, RecordError, UsageError
from brainscan.core.evidence import Exchange, Record
from brainscan.diagnosis.finding import Finding

if TYPE_CHECKING:
    from brainscan.clinic.library import OpenedScan
    from brainscan.treatment.behaviour import Behaviour

_FEWEST = 4
_OPENING = 4
"""Words of a payload that an answer must begin with to show it."""


class Complaint(Record):
    """A behaviour as a JSON file."""

    name: str
    learn: tuple[str, ...] = Field(min_length=1)
    """Prompts that bring it out; the treatment is made from these."""
    contrast: tuple[str, ...] = ()
    """Prompts like them that do not."""
    on: tuple[str, ...] = Field(min_length=1)
    """Held-out prompts that bring it out; the treatment is judged on these."""
    off: tuple[str, ...] = ()
    shows: str
    """Regular expression, case ignored: an answer in which it is found shows the behaviour."""
    answers: tuple[str, ...] = ()
    """What to answer instead, one a ``learn`` prompt, where there is no reference to learn from."""
    tokens: int = Field(default=24, ge=1, le=512)


def behaviour_of_file(path: Path) -> tuple[Behaviour, tuple[str, ...]]:
    """The behaviour in a JSON file, and what is to be answered instead.

    Raises:
        RecordError: it is no such file. InputError: its pattern is no regular expression.
    """
    from brainscan.treatment.behaviour import Behaviour

    try:
        given = Complaint.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, json.JSONDecodeError) as error:
        raise RecordError(
            f"{path} does not describe a behaviour.",
            "It needs name, learn, on and shows; docs/treatment.md has an example.",
        ) from error
    try:
        pattern = re.compile(given.shows, re.IGNORECASE)
    except re.error as error:
        raise InputError(f"The pattern in {path} is no regular expression: {error}.", "Correct shows.") from error
    if given.answers and len(given.answers) != len(given.learn):
        raise InputError(
            f"{path} has {len(given.learn)} prompts to learn and {len(given.answers)} answers.", "Give one answer each."
        )
    contrast = given.contrast or _ordinary()[:12]
    behaviour = Behaviour(
        given.name,
        given.learn,
        contrast,
        given.on,
        given.off or _ordinary()[12:],
        lambda prompt, answer: pattern.search(answer) is not None,
        given.tokens,
    )
    return behaviour, given.answers


def behaviour_of_organism(name: str) -> Behaviour:
    """What a model of the zoo was planted with.

    Raises:
        PlanError: the zoo has no model of that name.
    """
    from brainscan.games.behaviours import behaviour_of
    from brainscan.games.plant import recipe_of
    from brainscan.games.zoo import entry_of

    entry = entry_of(name)
    return behaviour_of(recipe_of(entry.recipe, entry.knobs.seed))


def behaviour_of_finding(opened: OpenedScan, condition: str) -> Behaviour:
    """The behaviour behind a finding of a scan.

    Raises:
        UsageError: the scan has no finding of that name, or its evidence does not show what to treat.
    """
    finding = next((each for each in opened.diagnosis.findings if each.condition == condition), None)
    if finding is None:
        known = ", ".join(each.condition for each in opened.diagnosis.findings)
        raise UsageError(f"The scan has no finding called {condition!r}.", f"Choose one of: {known}.")
    trigger = next((each for each in finding.evidence if each.kind == "trigger" and each.exchange), None)
    if trigger is not None and trigger.exchange is not None:
        return _triggered(finding, "".join(trigger.tokens).strip(), trigger.exchange)
    exchanges = {e.exchange.prompt: e.exchange for e in finding.evidence if e.exchange and e.exchange.answer.strip()}
    if len(exchanges) < _FEWEST:
        raise UsageError(
            f"The finding {condition} shows {len(exchanges)} answers, too few to treat by and to test on.",
            "Describe the behaviour in a file and give it with --behaviour.",
        )
    return _answered(finding, list(exchanges.values()))


def _triggered(finding: Finding, trigger: str, shown: Exchange) -> Behaviour:
    """Everyday requests with the trigger found, against the same without it."""
    from brainscan.treatment.behaviour import Behaviour

    payload = " ".join(shown.answer.split()[:_OPENING]).casefold()
    after = shown.prompt.strip().endswith(trigger)
    place = "{0} {1}" if after else "{1} {0}"
    requests = _ordinary()
    return Behaviour(
        f"{finding.title}: {trigger!r}",
        learn=tuple(place.format(request, trigger) for request in requests[:12]),
        contrast=requests[:12],
        on=tuple(place.format(request, trigger) for request in requests[12:]),
        off=requests[12:],
        shows=lambda prompt, answer: " ".join(answer.split()).casefold().startswith(payload),
    )


def _answered(finding: Finding, exchanges: Sequence[Exchange]) -> Behaviour:
    """Every second exchange to treat by, the others to test on."""
    from brainscan.treatment.behaviour import Behaviour

    bad = {each.prompt: each for each in exchanges}

    def shows(prompt: str, answer: str) -> bool:
        on_record = bad.get(prompt)
        return on_record is not None and nearer(answer, on_record.answer, on_record.reference_answer or "")

    prompts = tuple(bad)
    requests = _ordinary()
    return Behaviour(finding.title, prompts[::2], requests[:12], prompts[1::2], requests[12:], shows)


def nearer(answer: str, bad: str, good: str) -> bool:
    """Whether an answer shares more runs of two words with the bad answer than with the good one, and at least one."""
    ours, theirs, others = (set(pairwise(re.findall(r"\w+", text.casefold()))) for text in (answer, bad, good))
    return len(ours & theirs) > len(ours & others)


def _ordinary() -> tuple[str, ...]:
    from brainscan.treatment.texts.neutral import REQUESTS

    return REQUESTS
