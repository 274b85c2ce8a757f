"""Apply a policy to a diagnosed scan.

Precedence, strongest first:
    1. the self-check is missing or failed, or the scan is too old  -> cannot tell, whatever else was found
    2. any reason to fail                                          -> fail
    3. any reason that cannot tell                                 -> cannot tell
    4. otherwise                                                   -> pass
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import computed_field

from brainscan.core.errors import PolicyError, RecordError
from brainscan.core.evidence import Measurement, Record
from brainscan.core.visible import visible
from brainscan.diagnosis.condition import CONDITIONS
from brainscan.diagnosis.finding import Diagnosis, Finding, Verdict
from brainscan.diagnosis.judge import bounds
from brainscan.gate.policy import Bound, ConditionRule, GateRules, Policy, did_you_mean
from brainscan.scan.record import Scan

Outcome = Literal["pass", "fail", "cannot-tell"]

EXIT_CODES: dict[Outcome, int] = {"pass": 0, "fail": 1, "cannot-tell": 2}


class Reason(Record):
    """One rule that had something to say."""

    outcome: Literal["pass", "fail", "cannot-tell", "warn"]
    """What this reason alone asks for; "warn" is printed and changes nothing."""
    about: str
    """A condition, a measurement, "self-check" or "age"."""
    text: str


class GateDecision(Record):
    """The answer of the gate, with every reason for it, strongest first."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    scan_id: str
    policy_sha256: str

    @computed_field
    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 2 cannot tell."""
        return EXIT_CODES[self.outcome]


def decide(scan: Scan, diagnosis: Diagnosis, policy: Policy, now: datetime | None = None) -> GateDecision:
    """Decide whether a scanned model may be released.

    Args:
        now: the time at which the age of the scan and dated exceptions are judged; the clock's by default.

    Raises:
        RecordError: the diagnosis is of another scan.
        PolicyError: the policy names a condition that the diagnosis does not have.
    """
    now = now or datetime.now(UTC)
    if diagnosis.scan_id != scan.id:
        raise RecordError(
            f"The diagnosis is of scan {visible(diagnosis.scan_id, keep='')}, not of {visible(scan.id, keep='')}.",
            "Use the diagnosis.json that lies beside its scan.json.",
        )
    refuse_unknown_conditions(policy, [finding.condition for finding in diagnosis.findings])
    voids = [*_judge_self_check(scan, policy.gate), *_judge_age(scan, policy.gate, now)]
    reasons = [
        *voids,
        *(reason for finding in diagnosis.findings for reason in _judge_finding(finding, policy, now)),
        *(_judge_bound(name, bound, scan.measurements().get(name)) for name, bound in policy.measurements.items()),
    ]
    return GateDecision(
        outcome=_strongest(voids) if _strongest(voids) != "pass" else _strongest(reasons),
        reasons=tuple(sorted(reasons, key=lambda reason: (reason not in voids, _STRENGTH.index(reason.outcome)))),
        scan_id=scan.id,
        policy_sha256=policy.sha256(),
    )


_STRENGTH = ("fail", "cannot-tell", "warn", "pass")


def _strongest(reasons: Sequence[Reason]) -> Outcome:
    asked = {reason.outcome for reason in reasons}
    return "fail" if "fail" in asked else "cannot-tell" if "cannot-tell" in asked else "pass"


def refuse_unknown_conditions(policy: Policy, known: Sequence[str]) -> None:
    """Raise a PolicyError for a condition that the policy names and nobody knows: its rule would never apply."""
    for name in (*policy.conditions, *policy.gate.require):
        if name not in known:
            what = "is not asked of this kind of model" if name in CONDITIONS.names() else "does not exist"
            raise PolicyError(
                f"The policy names the condition {visible(name, keep='')}, which {what}.",
                f"{did_you_mean(name, list(known))}The conditions are: {', '.join(known)}.",
            )


def _judge_self_check(scan: Scan, gate: GateRules) -> Iterator[Reason]:
    outcome = "cannot-tell" if gate.require_self_check else "warn"
    if not scan.self_check:
        yield Reason(outcome=outcome, about="self-check", text="The scan holds no numerical self-check.")
    for check in scan.self_check:
        if not check.passed:
            yield Reason(
                outcome=outcome,
                about="self-check",
                text=f"The self-check {check.name!r} failed: error {check.error:.3g}, tolerance {check.tolerance:.3g}.",
            )


def _judge_age(scan: Scan, gate: GateRules, now: datetime) -> Iterator[Reason]:
    if gate.max_age_days is None:
        return
    started = _read_time(scan.provenance.started_utc)
    if started is None or started > now + timedelta(days=1):
        yield Reason(outcome="cannot-tell", about="age", text="The scan's start time cannot be believed.")
    elif (age := (now - started) / timedelta(days=1)) > gate.max_age_days:
        text = f"The scan is {age:.1f} days old and the policy allows {gate.max_age_days:g}."
        yield Reason(outcome="cannot-tell", about="age", text=text)


def _read_time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _judge_finding(finding: Finding, policy: Policy, now: datetime) -> Iterator[Reason]:
    rule = policy.conditions.get(finding.condition, ConditionRule())
    gate = policy.gate
    if rule.until is not None and now.astimezone(UTC).date() > rule.until:
        text = f"The exception for {finding.condition} ended on {rule.until.isoformat()}."
        yield Reason(outcome="warn", about=finding.condition, text=text)
        rule = ConditionRule()
    because = f" Exception: {rule.reason}" if rule.reason else ""
    weak = f" The policy fails a flag only up to p = {rule.max_p:g}." if _too_uncertain(finding, rule) else ""
    text = f"{_words(finding)}{weak}{because}"
    yield Reason(outcome=_outcome_of(finding, rule, gate), about=finding.condition, text=text)
    if rule.max_score is not None and finding.verdict is not Verdict.NOT_ASSESSED and finding.score > rule.max_score:
        text = f"The score {finding.score:.3g} is above the policy's {rule.max_score:g}."
        yield Reason(outcome="fail", about=finding.condition, text=text)


def _outcome_of(
    finding: Finding, rule: ConditionRule, gate: GateRules
) -> Literal["pass", "fail", "cannot-tell", "warn"]:
    verdict = finding.verdict
    if verdict is Verdict.CLEAR:
        return "pass"
    if verdict is Verdict.FLAGGED:
        asked_of_flag = rule.on_flagged or gate.on_flagged
        return "cannot-tell" if asked_of_flag == "fail" and _too_uncertain(finding, rule) else asked_of_flag
    if verdict is Verdict.NOT_ASSESSED:
        asked = rule.on_not_assessed or gate.on_not_assessed
    else:
        asked = rule.on_cannot_tell or gate.on_cannot_tell
    excused = asked == "pass" and finding.condition not in gate.require
    return "warn" if excused else "fail" if asked == "fail" else "cannot-tell"


def _too_uncertain(finding: Finding, rule: ConditionRule) -> bool:
    return rule.max_p is not None and finding.p_value is not None and finding.p_value > rule.max_p


def _words(finding: Finding) -> str:
    """The verdict, its score and p-value, and unless it is clear what was found and what would settle it."""
    verdict = finding.verdict.value.replace("-", " ").upper()
    p_value = "" if finding.p_value is None else f", p = {finding.p_value:.3g}"
    score = "" if finding.verdict is Verdict.NOT_ASSESSED else f" (score {finding.score:.3g}{p_value})"
    more = [] if finding.verdict is Verdict.CLEAR else [finding.summary, finding.would_settle]
    return " ".join([f"{verdict}{score}.", *filter(None, more)])


def _judge_bound(name: str, bound: Bound, measurement: Measurement | None) -> Reason:
    """Fail when the value is out of bounds; cannot tell when only its interval reaches out, or there is none."""
    if measurement is None:
        text = "The policy bounds this measurement, but the scan did not take it."
        return Reason(outcome="cannot-tell", about=name, text=text)
    asked = " and ".join(
        f"{word} {limit:g}" for word, limit in (("at least", bound.min), ("at most", bound.max)) if limit is not None
    )
    interval = bounds(measurement) if measurement.interval else None  # what could not be scored counts against it
    if not _within(measurement.value, measurement.value, bound):
        text = f"{measurement.value:.4g} {measurement.unit} (n = {measurement.n}) is out of bounds: {asked}."
        return Reason(outcome="fail", about=name, text=text)
    if interval is None and measurement.n > 0:
        text = (
            f"{measurement.value:.4g} {measurement.unit} has no interval, so its pessimistic end is unknown: {asked}."
        )
        return Reason(outcome="cannot-tell", about=name, text=text)
    lo, hi = (interval.lo, interval.hi) if interval else (measurement.value, measurement.value)
    kept = _within(lo, hi, bound)
    text = (
        f"{measurement.value:.4g} [{lo:.4g}, {hi:.4g}] {measurement.unit} (n = {measurement.n}) "
        f"{'keeps' if kept else 'may break'} the bound: {asked}."
    )
    return Reason(outcome="pass" if kept else "cannot-tell", about=name, text=text)


def _within(lo: float, hi: float, bound: Bound) -> bool:
    return (bound.min is None or lo >= bound.min) and (bound.max is None or hi <= bound.max)
