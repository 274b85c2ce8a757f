"""The verbs of monitoring: fit a monitor, open it beside its subject, replay an incident. torch is imported where it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, TypeAdapter, ValidationError

from brainscan.clinic.incidents import open_incident
from brainscan.clinic.prompts import QuestionLine, read_lines, read_prompts, read_text
from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import InputError, UsageError
from brainscan.core.evidence import Record, said_of
from brainscan.monitor.record import Monitor, Policy, Rule, read_monitor, write_monitor

if TYPE_CHECKING:
    from brainscan.monitor.fit import Lesson
    from brainscan.monitor.replay import Replay
    from brainscan.monitor.watch import Watch
    from brainscan.subject.language import LanguageSubject

Progress = Callable[[float, str], None]


class RuleFile(Record):
    """One entry of a rules file: a rule, and where it is learned from."""

    rule: Rule
    positives: str | None = None
    """Of a probe: file of prompts with the concept, one a line."""
    negatives: str | None = None
    dictionary: str | None = None
    """Of a feature: folder of the dictionary."""
    feature: int = Field(default=0, ge=0)


_RULES = TypeAdapter(list[RuleFile])


@dataclass(frozen=True)
class FitRequest:
    """What to fit, and on what."""

    subject: str
    clean: Path
    """Clean prompts: one a line, or JSON lines with a field "prompt"."""
    out: Path
    rules: Path | None = None
    """A JSON list of ``RuleFile``; None for the two rules that need no example: distance and certainty."""
    policy: Policy = "warn"
    """Of the default rules."""
    rate: float = 0.01
    confidence: float | None = 0.95
    max_new: int = 32
    seed: int = 0
    chat: bool = True
    """Prompts are users' turns under the chat template; False: plain text."""
    guarantee: str | None = None
    questions: Path | None = None
    """JSON lines with "question" and "answers", for the guarantee."""


def fit_monitor(request: FitRequest, progress: Progress = lambda fraction, words: None) -> Monitor:
    """Fit a monitor and write its file.

    Raises:
        InputError: a file holds nothing usable, or too few clean prompts for the promise.
        UsageError: the rules or the guarantee mean nothing. SubjectError, StorageError.
    """
    from brainscan.monitor.abstain import Asked, check_asked, with_guarantee
    from brainscan.monitor.fit import FitSettings, fit
    from brainscan.monitor.guarantee import Bound
    from brainscan.subject.generate import Decoding

    if bool(request.guarantee) != bool(request.questions):
        raise UsageError("A guarantee needs questions, and questions a guarantee.", "Give both or neither.")
    bound = Bound.parse(request.guarantee) if request.guarantee else None
    questions = read_lines(request.questions, QuestionLine) if request.questions else []
    texts = read_prompts(request.clean)
    subject = open_subject(request.subject, progress=lambda f, w: progress(0.05 * f, w))
    lessons = _lessons(subject, request)
    clean = [_ids(subject, text, request) for text in texts]
    settings = FitSettings(request.rate, request.confidence, Decoding(max_new=request.max_new), request.seed)
    asked = [Asked(_ids(subject, line.question, request), line.answers) for line in questions]
    if bound:
        check_asked([lesson.rule for lesson in lessons], asked)
    end = 0.6 if bound else 1.0
    monitor, arrays = fit(subject, clean, lessons, settings, lambda f, w: progress(0.05 + (end - 0.05) * f, w))
    if bound:
        monitor, arrays = with_guarantee(
            subject, monitor, arrays, asked, bound, lambda f, w: progress(0.6 + 0.4 * f, w)
        )
    return write_monitor(request.out, monitor, arrays)


def open_watch(spec: str, file: Path, progress: Progress = lambda f, w: None) -> Watch:
    """A subject with its monitor, ready to serve.

    Raises:
        RecordError: the monitor's file is broken or was changed.
        UsageError: the monitor was fitted on another subject. SubjectError.
    """
    from brainscan.monitor.watch import Watch

    monitor, arrays = read_monitor(file)
    return Watch.of(open_subject(spec, progress=progress), monitor, arrays)


def replay_incident(
    prefix: str, subject: str | None = None, monitor: Path | None = None, progress: Progress = lambda f, w: None
) -> Replay:
    """Bring an incident about again.

    Args:
        prefix: id of the incident, its beginning, or "latest".
        subject, monitor: where they are now, if not where they were.

    Raises:
        UsageError: no such incident, or subject or monitor are others than the incident's.
    """
    from brainscan.monitor.replay import replay

    incident = open_incident(prefix)
    watch = open_watch(subject or incident.subject_spec, monitor or Path(incident.monitor_file), progress)
    return replay(watch.subject, watch.panel, incident)


def _ids(subject: LanguageSubject, text: str, request: FitRequest) -> list[int]:
    return subject.chat(text) if request.chat else subject.tokens(text)


def _lessons(subject: LanguageSubject, request: FitRequest) -> list[Lesson]:
    from brainscan.monitor.fit import Lesson

    if request.rules is None:
        return [Lesson(rule) for rule in default_rules(subject, request.policy)]
    try:
        entries = _RULES.validate_json(read_text(request.rules))
    except ValidationError as error:
        raise InputError(
            f"{request.rules} is no list of rules: {said_of(error)}.",
            'Each is {"rule": {...}, "positives": FILE, ...}.',
        ) from error
    return [_lesson(subject, entry, request) for entry in entries]


def default_rules(subject: LanguageSubject, policy: Policy) -> tuple[Rule, ...]:
    """Two rules that need no example of what is wrong: unusual activations, and an answer that is recited."""
    sites = tuple(f"resid_post.{layer}" for layer in subject.spread_layers(5)[-3:])
    return (
        Rule(
            name="distance",
            kind="distance",
            title="Activations lie far from those of clean traffic.",
            sites=sites,
            policy=policy,
        ),
        Rule(
            name="certainty",
            kind="certainty",
            title="The answer is recited with hardly any doubt.",
            policy=policy,
        ),
    )


def _lesson(subject: LanguageSubject, entry: RuleFile, request: FitRequest) -> Lesson:
    from brainscan.monitor.fit import Lesson

    def examples(name: str | None) -> list[list[int]]:
        return [_ids(subject, text, request) for text in read_prompts(_beside(request, name))] if name else []

    dictionary = None
    if entry.dictionary:
        from brainscan.dictionary.dictionary import Dictionary
        from brainscan.dictionary.formats.format import read_dictionary

        loaded = read_dictionary(_beside(request, entry.dictionary))
        if not isinstance(loaded, Dictionary):
            raise UsageError(f"{entry.dictionary} holds several dictionaries.", "Name one.")
        dictionary = loaded
    return Lesson(entry.rule, examples(entry.positives), examples(entry.negatives), dictionary, entry.feature)


def _beside(request: FitRequest, name: str) -> Path:
    """Files of a rules file lie beside it."""
    assert request.rules is not None
    return request.rules.parent / name
