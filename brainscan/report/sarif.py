"""SARIF 2.1.0: findings for code-scanning tools.

flagged -> kind fail, clear -> pass, cannot tell -> open, not assessed -> notApplicable (SARIF 2.1.0, section 3.27.9).
Only ``fail`` carries a level other than none (3.27.10), so a viewer that ignores kinds shows flagged findings alone.
"""

from __future__ import annotations

from typing import Any

from brainscan.core.visible import visible
from brainscan.diagnosis.finding import Diagnosis, Finding, Verdict
from brainscan.report.words import CLOSING, FAILED_CHECK, WORDS, counts, lead, measured, p_value
from brainscan.scan.record import RECORD_FILE, Scan

_KINDS = {
    Verdict.FLAGGED: "fail",
    Verdict.CLEAR: "pass",
    Verdict.CANNOT_TELL: "open",
    Verdict.NOT_ASSESSED: "notApplicable",
}
_MOST_EVIDENCE = 3
_EXCERPT = 400


def to_sarif(scan: Scan, diagnosis: Diagnosis) -> dict[str, Any]:
    """The scan as one SARIF run."""
    findings = diagnosis.findings
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(scan, findings)},
                "automationDetails": {"id": f"brainscan/{_clean(scan.subject.name)}/{scan.id}"},
                "invocations": [_invocation(scan)],
                "results": [_result(scan, f, i) for i, f in enumerate(findings)],
                "properties": _run_properties(scan, diagnosis),
            }
        ],
    }


def _driver(scan: Scan, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {"name": "brainscan", "version": scan.provenance.versions.brainscan, "rules": [_rule(f) for f in findings]}


def _rule(finding: Finding) -> dict[str, Any]:
    help_text = f"{_clean(finding.question)} {CLOSING}"
    return {
        "id": _clean(finding.condition),
        "name": _clean(finding.title),
        "shortDescription": {"text": _clean(finding.title)},
        "fullDescription": {"text": _clean(finding.question)},
        "help": {"text": help_text},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["ai-safety", "model-scan"]},
    }


def _result(scan: Scan, finding: Finding, index: int) -> dict[str, Any]:
    return {
        "ruleId": _clean(finding.condition),
        "ruleIndex": index,
        "kind": _KINDS[finding.verdict],
        "level": "error" if finding.verdict is Verdict.FLAGGED else "none",
        "message": {"text": _message(finding)},
        "locations": [_location(scan, finding)],
        "partialFingerprints": {"brainscan/v1": f"{scan.subject.weights_sha256[:16]}:{_clean(finding.condition)}"},
        "properties": _result_properties(finding),
    }


def _message(finding: Finding) -> str:
    parts = [f"{WORDS[finding.verdict].word}: {finding.summary}"]
    parts += [f"What would settle it: {finding.would_settle}"] if finding.would_settle else []
    parts += [f"Next: {finding.recommendation}"] if finding.recommendation else []
    return _clean(" ".join(parts))


def _location(scan: Scan, finding: Finding) -> dict[str, Any]:
    sites = dict.fromkeys(e.site for e in finding.evidence if e.site)
    names = [f"{finding.condition}/{site}" for site in sites] or [finding.condition]
    return {
        "physicalLocation": {"artifactLocation": {"uri": RECORD_FILE}, "region": {"startLine": 1}},
        "logicalLocations": [
            {
                "name": _clean(name.rpartition("/")[2]),
                "fullyQualifiedName": _clean(f"{scan.subject.name}/{name}"),
                "kind": "module",
            }
            for name in names
        ],
    }


def _result_properties(finding: Finding) -> dict[str, Any]:
    reading = lead(finding)
    return {
        "verdict": finding.verdict.value,
        "score": finding.score,
        "pValue": finding.p_value,
        "smallestP": finding.smallest_p,
        "ground": finding.ground,
        "measured": measured(reading.measurement) if reading else None,
        "evidence": [_excerpt(e.summary) for e in finding.evidence[:_MOST_EVIDENCE]],
        "evidenceCount": len(finding.evidence),
    }


def _invocation(scan: Scan) -> dict[str, Any]:
    failed = [check.name for check in scan.self_check if not check.passed]
    notes = (
        [{"level": "error", "message": {"text": _clean(f"{FAILED_CHECK} Failed: {', '.join(failed)}.")}}]
        if failed
        else []
    )
    notes += [
        {"level": "warning", "message": {"text": _clean(f"Step {step.instrument} was {step.outcome}: {step.reason}")}}
        for step in scan.steps
        if step.outcome != "done"
    ]
    return {
        "executionSuccessful": not failed,
        "commandLine": _clean(scan.provenance.command),
        "toolExecutionNotifications": notes,
    }


def _run_properties(scan: Scan, diagnosis: Diagnosis) -> dict[str, Any]:
    anomaly = diagnosis.anomaly
    return {
        "scan": scan.id,
        "subject": _clean(scan.subject.name),
        "weightsSha256": scan.subject.weights_sha256,
        "counts": counts(diagnosis.findings, ", "),
        "impression": [_clean(sentence) for sentence in diagnosis.impression],
        "anomaly": f"{anomaly.score:.2f}, p {p_value(anomaly.p_value, anomaly.smallest_p)}" if anomaly else None,
        "notExamined": [_clean(item.item) for item in scan.not_examined],
    }


def _excerpt(text: str) -> str:
    return visible(text, keep="", limit=_EXCERPT)


def _clean(text: str) -> str:
    return visible(text, keep="")
