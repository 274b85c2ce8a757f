"""Bring an incident about again, and say whether it comes out the same."""

from __future__ import annotations

from brainscan.core.errors import UsageError
from brainscan.core.evidence import Record
from brainscan.core.visible import visible
from brainscan.monitor.incident import Incident
from brainscan.monitor.panel import Panel
from brainscan.monitor.record import Monitor, Verdict
from brainscan.monitor.run import Run
from brainscan.subject.generate import Decoding
from brainscan.subject.language import LanguageSubject

TOLERANCE = 1e-2
"""Largest difference of a standardised score that counts as none: sums are taken in another order on other machines."""


class Replay(Record):
    """An incident beside its repetition."""

    incident: str
    same_answer: bool
    """The same tokens, all that the incident's answer has."""
    same_alarms: bool
    """The same rules raised an alarm at the same tokens, with the same outcome."""
    largest_difference: float
    """Of a rule's score."""
    verdict: Verdict
    answer: str

    @property
    def same(self) -> bool:
        """The incident happened again."""
        return self.same_answer and self.same_alarms and self.largest_difference <= TOLERANCE


def replay(subject: LanguageSubject, panel: Panel, incident: Incident) -> Replay:
    """Generate the incident's answer again under the same monitor.

    An answer that ended from outside (a stop sequence, a client gone, a shutdown) is repeated up to where it ended.

    Raises:
        UsageError: the subject or the monitor is another than the incident's.
    """
    check_fit(panel.monitor, subject)
    if panel.monitor.sha256 != incident.verdict.monitor_sha256:
        raise UsageError(
            f"The incident was raised by another monitor ({incident.verdict.monitor_sha256[:12]}).",
            "Name that monitor's file with --monitor.",
        )
    decoding = Decoding(
        max_new=incident.max_new, temperature=incident.temperature, top_p=incident.top_p, seed=incident.seed
    )
    run = Run(subject, panel, [list(incident.prompt_ids)], decoding)
    whole = incident.ending in ("end", "length")
    while not run.done and (whole or run.watched.read[0] < incident.verdict.tokens or not run.rows[0].chosen):
        run.advance()
    if incident.ending:
        run.close(0)
    verdict = run.verdict(0)
    return Replay(
        incident=incident.id,
        same_answer=tuple(run.rows[0].chosen[: len(incident.answer_ids)]) == incident.answer_ids,
        same_alarms=_raised(verdict) == _raised(incident.verdict),
        largest_difference=_difference(verdict, incident.verdict),
        verdict=verdict,
        answer=subject.text(run.rows[0].chosen),
    )


def check_fit(monitor: Monitor, subject: LanguageSubject) -> None:
    """The monitor was fitted on this subject.

    Raises:
        UsageError: on other weights, or with another tokenizer or chat template.
    """
    if monitor.weights_sha256 != subject.card.weights_sha256:
        raise UsageError(
            f"The monitor was fitted on other weights ({visible(monitor.subject_name, keep='', limit=60)}).",
            "Fit one on this subject: thresholds do not carry over.",
        )
    if monitor.tokenizer_sha256 != subject.card.tokenizer_sha256:
        raise UsageError(
            "The monitor was fitted with another tokenizer or chat template.", "Fit one on this subject as it is."
        )


def _raised(verdict: Verdict) -> tuple[str, list[tuple[str, int]]]:
    return verdict.outcome, [(alarm.rule, alarm.token) for alarm in verdict.alarms]


def _difference(new: Verdict, old: Verdict) -> float:
    """Largest difference between scores of the same rule; a score that one lacks counts as a large one."""
    then = {reading.rule: reading.score for reading in old.readings}
    largest = 0.0
    for reading in new.readings:
        before = then.get(reading.rule)
        if reading.score is None and before is None:
            continue
        gap = abs(reading.score - before) if reading.score is not None and before is not None else 1e9
        largest = max(largest, gap)
    return largest
