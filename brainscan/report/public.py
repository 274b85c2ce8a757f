"""The JSON that others read: one record per scan with its findings, and its published JSON Schema."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from brainscan.core.evidence import Cost, Evidence, Exchange, Interval, Measurement, Status
from brainscan.core.provenance import SubjectCard
from brainscan.core.statistics import rate_interval
from brainscan.diagnosis.finding import Anomaly, Diagnosis, Finding, Reading, Verdict
from brainscan.scan.record import Check, NotExamined, Plan, Provenance, Scan

SCHEMA_ID = "brainscan.scan/1"


class Public(BaseModel):
    """Base of the published records: readers must ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, use_attribute_docstrings=True)


class PublicEvidence(Public):
    """Something to look at, as text."""

    kind: str
    summary: str
    tokens: tuple[str, ...]
    weights: tuple[float, ...]
    """One score per token, or empty."""
    site: str | None
    """Address inside the model, for example "resid_post.12"."""
    status: Status
    """How well the claim is established, weakest first: observed, measured, attributed, intervened, validated."""
    strength: float
    """Higher is stronger; comparable within one kind only."""
    measurement: str
    exchange: Exchange | None


class PublicFinding(Public):
    """One condition judged."""

    condition: str
    verdict: Verdict
    score: float
    """Higher is worse; at 1 and above it is past the smallest effect of interest."""
    p_value: float | None
    interval: tuple[float, float]
    """Of the leading measurement, in its unit; [0, 1] with interval_method "no items" when nothing was measured."""
    evidence: tuple[PublicEvidence, ...]
    """Strongest first."""
    title: str
    question: str
    summary: str
    ground: str
    """demonstrated: on this subject alone; calibrated: against control models; none: nothing carried the verdict."""
    smallest_p: float | None
    """The smallest p-value that this test could have given."""
    own_p: float | None = None
    """Against control models: the p-value of this condition alone; ``p_value`` is the one among all conditions."""
    p_source: str
    interval_method: str
    would_settle: str
    recommendation: str
    readings: tuple[Reading, ...]


class PublicAnomaly(Public):
    """How far the subject differs from its reference."""

    score: float
    p_value: float | None
    smallest_p: float | None
    summary: str


class PublicScan(Public):
    """A finished scan with its diagnosis."""

    schema_: str = Field(default=SCHEMA_ID, alias="schema", json_schema_extra={"const": SCHEMA_ID})
    id: str
    subject: SubjectCard
    reference: SubjectCard | None
    plan: Plan
    self_check: tuple[Check, ...]
    findings: tuple[PublicFinding, ...]
    anomaly: PublicAnomaly | None
    """Null when there was no reference."""
    cost: Cost
    provenance: Provenance
    impression: tuple[str, str, str]
    """The answer, how sure, what next."""
    calibration: str | None
    calibration_note: str
    not_examined: tuple[NotExamined, ...]
    measurements: tuple[Measurement, ...]


def to_public(scan: Scan, diagnosis: Diagnosis) -> dict[str, Any]:
    """Scan and diagnosis as plain JSON values in the published shape (schema "brainscan.scan/1")."""
    public = PublicScan(
        id=scan.id,
        subject=scan.subject,
        reference=scan.reference,
        plan=scan.plan,
        self_check=scan.self_check,
        findings=tuple(_finding(finding) for finding in diagnosis.findings),
        anomaly=_anomaly(diagnosis.anomaly),
        cost=scan.cost,
        provenance=scan.provenance,
        impression=diagnosis.impression,
        calibration=diagnosis.calibration,
        calibration_note=diagnosis.calibration_note,
        not_examined=scan.not_examined,
        measurements=tuple(scan.measurements().values()),
    )
    return public.model_dump(mode="json", by_alias=True)


def published_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the public JSON, as committed in docs/schema."""
    schema = PublicScan.model_json_schema(by_alias=True, mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, "title": "brainscan scan"}
    return head | {key: _open(value) for key, value in schema.items() if key not in head}


def _finding(finding: Finding) -> PublicFinding:
    interval = finding.interval or rate_interval(0, 0)
    return PublicFinding(
        **finding.model_dump(include=set(PublicFinding.model_fields) - {"evidence", "readings", "interval"}),
        interval=(interval.lo, interval.hi),
        interval_method=_method(interval),
        evidence=tuple(_evidence(evidence) for evidence in finding.evidence),
        readings=finding.readings,
    )


def _evidence(evidence: Evidence) -> PublicEvidence:
    return PublicEvidence(**evidence.model_dump())


def _anomaly(anomaly: Anomaly | None) -> PublicAnomaly | None:
    return None if anomaly is None else PublicAnomaly(**anomaly.model_dump())


def _method(interval: Interval) -> str:
    return f"{interval.method}, {100 * interval.level:g}%"


def _open(value: Any) -> Any:
    """Drop "additionalProperties": false, so that a later version may add fields."""
    if isinstance(value, dict):
        return {key: _open(part) for key, part in value.items() if (key, part) != ("additionalProperties", False)}
    return [_open(part) for part in value] if isinstance(value, list) else value
