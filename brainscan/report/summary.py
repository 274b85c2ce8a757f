"""A GitHub job summary: Markdown that reads without pictures and stays far below the size that GitHub refuses."""

from __future__ import annotations

import itertools
import re

from brainscan.core.evidence import Evidence
from brainscan.core.visible import visible
from brainscan.diagnosis.finding import Diagnosis, Finding, Verdict
from brainscan.report.words import CLOSING, FAILED_CHECK, WORDS, counts, lead, measured, p_value
from brainscan.scan.record import Scan

LIMIT = 900_000
"""Bytes; GitHub drops a whole summary above 1,048,576."""

_EXCERPT = 600
_FOLD = 200
_OPEN = (Verdict.FLAGGED, Verdict.CANNOT_TELL)


def job_summary(scan: Scan, diagnosis: Diagnosis) -> str:
    """Markdown for $GITHUB_STEP_SUMMARY: verdicts first, evidence folded, nothing silently left out."""
    head = _head(scan, diagnosis)
    tail = ["", *_folded(scan, diagnosis), "", CLOSING, ""]
    pieces = [_evidence(f.title, e) for f in diagnosis.findings if f.verdict is Verdict.FLAGGED for e in f.evidence]
    return "\n".join([*head, *_within(pieces, LIMIT - _size(head) - _size(tail)), *tail])


def _within(pieces: list[str], room: int) -> list[str]:
    """As many pieces as fit, folded, with a count of those that did not."""
    ends = list(itertools.accumulate(_size([piece, ""]) for piece in pieces))
    fit = sum(end < room - _FOLD for end in ends)
    lines = ["", "<details><summary>Evidence</summary>", "", *pieces[:fit], "</details>"] if fit else []
    return (
        lines
        if fit == len(pieces)
        else [*lines, "", f"{len(pieces) - fit} pieces of evidence left out, see the report."]
    )


def _head(scan: Scan, diagnosis: Diagnosis) -> list[str]:
    held = sum(check.passed for check in scan.self_check)
    against = f" vs {_cell(scan.reference.name)}@{scan.reference.weights_sha256[:8]}" if scan.reference else ""
    lines = [
        f"### brainscan: {counts(diagnosis.findings, ', ')}",
        f"**{_cell(scan.subject.name)}@{scan.subject.weights_sha256[:8]}**{against}"
        f" · plan {_cell(scan.plan.name)} · self-check {held}/{len(scan.self_check)}",
        "",
    ]
    lines += [f"> **{FAILED_CHECK}**", ""] if held < len(scan.self_check) else []
    lines += [" ".join(_cell(sentence) for sentence in diagnosis.impression), ""]
    lines += ["| verdict | condition | measured | p (smallest possible) | next |", "|---|---|---|---|---|"]
    return lines + [_row(finding) for finding in diagnosis.findings if finding.verdict in _OPEN]


def _row(finding: Finding) -> str:
    word, reading = WORDS[finding.verdict], lead(finding)
    cells = (
        f"{word.mark} {word.word}",
        _cell(finding.title),
        _cell(measured(reading.measurement)) if reading else "–",
        _cell(p_value(finding.p_value, finding.smallest_p)),
        _cell(finding.would_settle or finding.recommendation or "–"),
    )
    return f"| {' | '.join(cells)} |"


def _folded(scan: Scan, diagnosis: Diagnosis) -> list[str]:
    rest = [finding for finding in diagnosis.findings if finding.verdict not in _OPEN]
    lines = [
        f"<details><summary>{counts(rest, ', ', zeros=False) or 'nothing else'}; what was not examined</summary>",
        "",
    ]
    if rest:
        lines += ["| verdict | condition | measured | p (smallest possible) | next |", "|---|---|---|---|---|"]
        lines += [_row(finding) for finding in rest]
    lines += ["", *(f"- not examined: {_cell(n.item)} ({_cell(n.reason)})" for n in scan.not_examined)]
    lines += [f"- step {_cell(s.instrument)} {s.outcome}: {_cell(s.reason)}" for s in scan.steps if s.outcome != "done"]
    return [*lines, "", "</details>"]


def _evidence(title: str, evidence: Evidence) -> str:
    parts = [evidence.summary]
    if evidence.exchange is not None:
        parts += [f"prompt: {evidence.exchange.prompt}", f"answer: {evidence.exchange.answer}"]
    body = "\n".join(visible(part, limit=_EXCERPT) for part in parts)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)  # model text cannot close its own fence
    return f"{_cell(title)} [{evidence.status.value}]\n\n{fence}text\n{body}\n{fence}\n"


def _cell(text: str) -> str:
    """One line with nothing that Markdown or HTML would act on."""
    clean = " ".join(visible(text).split())
    clean = clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#|!~@])", r"\\\1", clean)


def _size(lines: list[str]) -> int:
    return len("\n".join(lines).encode())
