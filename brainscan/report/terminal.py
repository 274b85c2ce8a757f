"""The scan on a terminal: fixed columns, ASCII tags, colour as an extra, no control character of anybody's.

The first 80 columns are the same at every width; wider terminals add to the right, narrower ones get
two lines a finding.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from brainscan.core.evidence import Evidence
from brainscan.core.visible import visible
from brainscan.diagnosis.finding import Diagnosis, Finding, Verdict
from brainscan.report.words import (
    CLOSING,
    FAILED_CHECK,
    GROUND,
    WORDS,
    ascii_numbers,
    brief,
    counts,
    date,
    duration,
    lead,
    p_short,
)
from brainscan.scan.record import Scan

_STYLES = {
    Verdict.FLAGGED: "bold red",
    Verdict.CLEAR: "cyan",
    Verdict.CANNOT_TELL: "magenta",
    Verdict.NOT_ASSESSED: "bright_black",
}
_BASE = 80
_TAG, _WORD, _CONDITION, _VALUE = 5, 13, 25, 18
_TOP_EVIDENCE = 2


def print_report(console: Console, scan: Scan, diagnosis: Diagnosis) -> None:
    """Print verdicts, impression, top evidence of what is flagged and what was not examined.

    The console decides on colour (NO_COLOR, pipes).
    """
    for line in (*_head(scan, console), *_body(console, scan, diagnosis), *_foot(scan, console)):
        line.rstrip()
        console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False, markup=False, soft_wrap=True)


def _head(scan: Scan, console: Console) -> list[Text]:
    subject = f"{scan.subject.name}@{scan.subject.weights_sha256[:8]}"
    against = f"reference: {scan.reference.name}" if scan.reference else "reference: none"
    held = sum(check.passed for check in scan.self_check)
    check = f"self-check: {held} of {len(scan.self_check)} passed"
    lines = [
        *_wrapped(f"brainscan {scan.provenance.versions.brainscan}, {subject}", console, ""),
        *_wrapped(
            f"plan {scan.plan.name}, {date(scan.provenance.started_utc)}, took {duration(scan.cost.seconds)}",
            console,
            "",
        ),
        *_wrapped(f"{against}, {check}", console, ""),
    ]
    if held < len(scan.self_check):
        lines.append(_text(FAILED_CHECK, "bold reverse"))
    return lines


def _body(console: Console, scan: Scan, diagnosis: Diagnosis) -> list[Text]:
    lines = [_rule(console)]
    for finding in diagnosis.findings:
        lines += _row(finding, console)
    lines += [_rule(console), _text(ascii_numbers(counts(diagnosis.findings, ", ")), "bold")]
    for i, sentence in enumerate(diagnosis.impression):
        lines += _wrapped(sentence, console, "            " if i else "Impression: ")
    if diagnosis.anomaly is not None and all(f.condition != "anomaly" for f in diagnosis.findings):
        p = ascii_numbers(p_short(diagnosis.anomaly.p_value, diagnosis.anomaly.smallest_p))
        lines += _wrapped(f"{diagnosis.anomaly.summary} {p}", console, "   Anomaly: ")
    if diagnosis.calibration is None:
        lines += _wrapped(f"none. {diagnosis.calibration_note}", console, "Calibration: ")
    for finding in diagnosis.findings:
        if finding.verdict is Verdict.FLAGGED and finding.evidence:
            lines += _evidence(finding, console)
    return lines


def _row(finding: Finding, console: Console) -> list[Text]:
    word = WORDS[finding.verdict]
    reading = lead(finding)
    style = _STYLES[finding.verdict]
    condition = visible(finding.condition, keep="")
    line = Text(word.tag.ljust(_TAG)).append(word.word.upper().ljust(_WORD), style).append(condition.ljust(_CONDITION))
    value = ascii_numbers(brief(reading.measurement)) if reading else ""
    p = ascii_numbers(p_short(finding.p_value, finding.smallest_p))
    if finding.verdict is Verdict.NOT_ASSESSED or reading is None:
        return _beside(line, finding.summary or finding.would_settle, console)
    if console.width < _BASE or len(condition) >= _CONDITION or len(value) >= _VALUE:
        return [line, *_wrapped(f"{value}  {p}".rstrip(), console, " " * _TAG)]
    line.append(value.ljust(_VALUE)).append(p)
    if console.width >= 120:
        line.append(" " * max(2, _BASE + 2 - line.cell_len)).append(_more(finding), "dim")
    return [line]


def _beside(line: Text, sentence: str, console: Console) -> list[Text]:
    """A sentence behind the condition at any width from 80, else below it."""
    if console.width < _BASE or line.cell_len > _TAG + _WORD + _CONDITION:
        return [line, *_wrapped(sentence, console, " " * _TAG)]
    first, *rest = _fold(visible(sentence, keep=""), console, _BASE - line.cell_len)
    return [line.append(first), *(_text(" " * (_TAG + _WORD + _CONDITION) + part) for part in rest)]


def _more(finding: Finding) -> str:
    site = next((visible(e.site, keep="") for e in finding.evidence if e.site), "")
    return f"{GROUND[finding.ground]}  {site}".rstrip()


def _evidence(finding: Finding, console: Console) -> list[Text]:
    shown = finding.evidence[:_TOP_EVIDENCE]
    head = f"Evidence for {finding.condition} ({len(shown)} of {len(finding.evidence)}, strongest first)"
    lines = [_rule(console), *_wrapped(head, console, "")]
    for evidence in shown:
        lines += _one(evidence, console)
    return lines


def _one(evidence: Evidence, console: Console) -> list[Text]:
    lines = _wrapped(f"{evidence.summary} [{evidence.status.value}]", console, "- ")
    if evidence.exchange is None:
        return lines + (_wrapped("".join(evidence.tokens), console, "    tokens: ", most=2) if evidence.tokens else [])
    lines += _wrapped(evidence.exchange.prompt, console, "    prompt: ", most=2)
    lines += _wrapped(evidence.exchange.answer, console, "    answer: ", most=3)
    if evidence.exchange.reference_answer is not None:
        lines += _wrapped(evidence.exchange.reference_answer, console, " reference: ", most=2)
    return lines


def _foot(scan: Scan, console: Console) -> list[Text]:
    items = ", ".join(item.item for item in scan.not_examined) or "nothing was named"
    lines = [_rule(console), *_wrapped(f"{len(scan.not_examined)} items ({items})", console, "Not examined: ")]
    undone = [f"{step.instrument} ({step.outcome})" for step in scan.steps if step.outcome != "done"]
    if undone:
        lines += _wrapped(", ".join(undone), console, "Steps not done: ")
    return lines + _wrapped(CLOSING, console, "")


def _wrapped(sentence: str, console: Console, label: str, most: int | None = None) -> list[Text]:
    """A labelled sentence within the console's width; with ``most`` lines, cut with a count of what is missing."""
    clean = " ".join(visible(sentence).split())
    room = max(20, min(console.width, 120) - len(label))
    parts = _fold(clean if most is None else clean[: 2 * most * room], console, room)
    if most is not None and len(missing := clean[len(" ".join(parts[:most])) :]):
        parts = [*parts[:most], f"... [{len(missing)} more characters]"]
    return [_text((label if i == 0 else " " * len(label)) + part) for i, part in enumerate(parts)]


def _fold(words: str, console: Console, room: int) -> list[str]:
    """Lines of at most ``room`` terminal cells; rich knows which characters take two."""
    return [line.plain.rstrip() for line in Text(words).wrap(console, max(room, 20))] or [""]


def _rule(console: Console) -> Text:
    return Text("-" * min(console.width, _BASE - 2), "dim")


def _text(words: str, style: str = "") -> Text:
    return Text(visible(words, keep=""), style)
