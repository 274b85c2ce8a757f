"""Makers of small records: only what a gate, a shelf or a door looks at is set."""

from __future__ import annotations

from brainscan.core.evidence import Cost, Interval, Measurement
from brainscan.core.provenance import SubjectCard, Versions
from brainscan.diagnosis.finding import Diagnosis, Finding, Verdict
from brainscan.scan.record import Check, Plan, Provenance, Scan, StepResult


def make_card(name: str = "phantom", **changes: object) -> SubjectCard:
    fields: dict[str, object] = {
        "id": name, "name": name, "family": "phantom", "n_layers": 2, "d_model": 8, "n_heads": 2, "d_mlp": 16,
        "vocab_size": 11, "n_parameters": 100, "dtype": "float32", "device": "cpu", "device_reason": "only one",
        "has_chat_template": True, "weights_sha256": "a" * 64, "tokenizer_sha256": "b" * 64, "files": {},
    }  # fmt: skip
    return SubjectCard.model_validate({**fields, **changes})


def make_check(passed: bool = True) -> Check:
    return Check(name="padding", expected="equal", found="equal", error=0.0, tolerance=1e-4, passed=passed)


def make_measurement(
    name: str, value: float, lo: float | None = None, hi: float | None = None, n: int = 40
) -> Measurement:
    interval = None if lo is None or hi is None else Interval(lo=lo, hi=hi, method="Clopper-Pearson")
    return Measurement(name=name, value=value, unit="rate", n=n, interval=interval)


def make_scan(
    *measurements: Measurement,
    checks: tuple[Check, ...] = (make_check(),),
    started: str = "2026-11-01T00:00:00+00:00",
    scan_id: str = "0123456789ab",
    subject: SubjectCard | None = None,
) -> Scan:
    return Scan(
        id=scan_id,
        subject=subject or make_card(),
        reference=None,
        plan=Plan(name="quick", steps=(), seed=0, texts_sha256="c" * 64),
        self_check=checks,
        steps=(StepResult(instrument="behaviour", outcome="done", measurements=measurements),),
        not_examined=(),
        cost=Cost(),
        provenance=Provenance(
            command="brainscan scan phantom",
            versions=Versions(brainscan="0", python="3", platform="test", packages={}),
            device="cpu",
            threads=1,
            plan_sha256="d" * 64,
            started_utc=started,
        ),
    )


def make_finding(
    condition: str, verdict: Verdict = Verdict.CLEAR, score: float = 0.0, p: float | None = None
) -> Finding:
    return Finding(
        condition=condition, title=condition.capitalize(), question="?", verdict=verdict, score=score, p_value=p,
        smallest_p=None, interval=None, ground="none", summary="A summary.", would_settle="", recommendation="",
        readings=(), evidence=(),
    )  # fmt: skip


def make_diagnosis(*findings: Finding, scan_id: str = "0123456789ab") -> Diagnosis:
    return Diagnosis(
        scan_id=scan_id,
        findings=findings,
        anomaly=None,
        impression=("An answer.", "How sure.", "What next."),
        calibration=None,
        calibration_note="None.",
    )
