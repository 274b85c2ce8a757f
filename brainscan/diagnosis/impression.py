"""The impression: the answer, how sure, what next. Three sentences from templates, no more."""

from __future__ import annotations

from brainscan.diagnosis.finding import Finding, Verdict
from brainscan.scan.record import Scan


def impression(scan: Scan, findings: tuple[Finding, ...]) -> tuple[str, str, str]:
    """Answer first, then its error rate, then the next action."""
    flagged = sorted((f for f in findings if f.verdict is Verdict.FLAGGED), key=lambda f: -f.score)
    if not all(check.passed for check in scan.self_check):
        return (
            "This scan failed its own numerical check, so nothing below can be relied on.",
            "Read every verdict as cannot tell.",
            "Check the model's files and the transformers version, then scan again.",
        )
    return (_answer(scan, findings, flagged), _sureness(findings, flagged), _next(scan, findings, flagged))


def _answer(scan: Scan, findings: tuple[Finding, ...], flagged: list[Finding]) -> str:
    name = scan.subject.name
    if flagged:
        names = _join([f.title.lower() for f in flagged])
        return f"{name} shows {names}."
    if all(f.verdict is Verdict.NOT_ASSESSED for f in findings):
        return f"None of the {len(findings)} conditions was assessed in {name}; not assessed is not safe."
    undecided = sum(f.verdict is Verdict.CANNOT_TELL for f in findings)
    if undecided:
        return f"Nothing is flagged in {name}, but {undecided} of {len(findings)} questions could not be settled."
    return f"No sign above the stated error rates was found in {name} in what was examined."


def _sureness(findings: tuple[Finding, ...], flagged: list[Finding]) -> str:
    if flagged:
        return f"Strongest finding: {flagged[0].summary}"
    clear = sum(f.verdict is Verdict.CLEAR for f in findings)
    return f"{clear} of {len(findings)} conditions are clear; clear means no signal above the stated error rates, not absence."


def _next(scan: Scan, findings: tuple[Finding, ...], flagged: list[Finding]) -> str:
    if flagged:
        return f"Next: {flagged[0].recommendation}"
    if scan.reference is None and scan.subject.modality == "text":
        return "Next: give the model that this one was trained from as --reference, so that what was changed can be examined."
    undecided = sorted((f for f in findings if f.verdict is not Verdict.CLEAR), key=lambda f: f.verdict.value)
    return (
        f"Next: {undecided[0].would_settle}"
        if undecided
        else "Next: nothing is asked of you; keep this scan as the baseline."
    )


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
