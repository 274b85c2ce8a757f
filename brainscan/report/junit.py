"""JUnit XML: one test case per condition and per line of the self-check.

flagged is a failure; cannot tell and not assessed are skipped, with the reason, so that neither reads as passed.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from brainscan.core.evidence import Evidence
from brainscan.core.visible import visible
from brainscan.diagnosis.finding import Diagnosis, Finding, Verdict
from brainscan.report.words import CLOSING, FAILED_CHECK, WORDS, lead, measured, p_value
from brainscan.scan.record import Check, Scan

_ILLEGAL = re.compile("[\ufffe\uffff\U0001fffe\U0001ffff]")
_MOST_EVIDENCE = 5
_EXCERPT = 2000


def to_junit(scan: Scan, diagnosis: Diagnosis) -> str:
    """The XML document as text, every character legal in XML 1.0."""
    root = ET.Element("testsuites", name="brainscan", time=f"{scan.cost.seconds:.3f}")
    checks = ET.SubElement(root, "testsuite", name="brainscan self-check")
    for check in scan.self_check:
        _check(checks, check)
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_clean(f"brainscan {scan.subject.name}"),
        timestamp=_clean(scan.provenance.started_utc[:19]),
    )
    _properties(suite, scan)
    for finding in diagnosis.findings:
        _case(suite, finding)
    for each in (checks, suite):
        _count(each)
    for name in ("tests", "failures", "skipped", "errors"):
        root.set(name, str(int(checks.get(name, 0)) + int(suite.get(name, 0))))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"  # fmt: skip


def _check(suite: ET.Element, check: Check) -> None:
    case = ET.SubElement(suite, "testcase", classname="brainscan.self-check", name=_clean(check.name))
    if not check.passed:
        failure = ET.SubElement(case, "failure", type="self-check", message=FAILED_CHECK)
        failure.text = _clean(
            f"expected {check.expected}, found {check.found}; error {check.error:g}, allowed {check.tolerance:g}"
        )


def _case(suite: ET.Element, finding: Finding) -> None:
    case = ET.SubElement(suite, "testcase", classname="brainscan.condition", name=_clean(finding.condition))
    word = WORDS[finding.verdict].word
    if finding.verdict is Verdict.FLAGGED:
        failure = ET.SubElement(case, "failure", type=word, message=_clean(finding.summary))
        failure.text = _detail(finding)
    elif finding.verdict in (Verdict.CANNOT_TELL, Verdict.NOT_ASSESSED):
        ET.SubElement(case, "skipped", message=_clean(f"{word}: {finding.would_settle or finding.summary}"))
    else:
        ET.SubElement(case, "system-out").text = _clean(f"{word}: {finding.summary} {CLOSING}")


def _detail(finding: Finding) -> str:
    reading = lead(finding)
    lines = [finding.question]
    lines += [f"{reading.measurement.name}: {measured(reading.measurement)}"] if reading else []
    lines += (
        [f"p {p_value(finding.p_value, finding.smallest_p)} ({finding.p_source})"]
        if finding.p_value is not None
        else []
    )
    lines += [f"Next: {finding.recommendation}"] if finding.recommendation else []
    lines += [_evidence(evidence) for evidence in finding.evidence[:_MOST_EVIDENCE]]
    hidden = len(finding.evidence) - _MOST_EVIDENCE
    lines += [f"{hidden} more pieces of evidence in the report."] if hidden > 0 else []
    return _clean("\n".join(lines))


def _evidence(evidence: Evidence) -> str:
    lines = [f"- {evidence.summary} [{evidence.status.value}]"]
    if evidence.exchange is not None:
        lines += [
            f"  prompt: {visible(evidence.exchange.prompt, limit=_EXCERPT)}",
            f"  answer: {visible(evidence.exchange.answer, limit=_EXCERPT)}",
        ]
    return "\n".join(lines)


def _properties(suite: ET.Element, scan: Scan) -> None:
    properties = ET.SubElement(suite, "properties")
    facts = {
        "scan": scan.id,
        "weights_sha256": scan.subject.weights_sha256,
        "plan": scan.plan.name,
        "seed": str(scan.plan.seed),
        "command": scan.provenance.command,
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=_clean(value))


def _count(suite: ET.Element) -> None:
    cases = suite.findall("testcase")
    found = {"failures": "failure", "skipped": "skipped", "errors": "error"}
    suite.set("tests", str(len(cases)))
    for name, child in found.items():
        suite.set(name, str(sum(case.find(child) is not None for case in cases)))


def _clean(text: str) -> str:
    return _ILLEGAL.sub(lambda found: f"<U+{ord(found[0]):04X}>", visible(text))
