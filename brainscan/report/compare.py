"""Two scans side by side, as one HTML file and on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from brainscan.core.visible import visible
from brainscan.diagnosis.finding import Diagnosis, Verdict
from brainscan.report.figures.pair import pair_strip
from brainscan.report.page import assemble
from brainscan.report.words import WORDS, ascii_numbers, brief, number
from brainscan.scan.compare import ComparedRow, Comparison, compare_scans
from brainscan.scan.record import Scan

NO_COMPARISON = "No comparison was made: the two scans share no measurement."
OTHER_TEXTS = (
    "What the two scans took in different ways (other texts, settings or version) is not set against each other."
)


@dataclass(frozen=True)
class Transition:
    """One condition's verdict in both scans; None where a scan does not list it."""

    condition: str
    title: str
    before: Verdict | None
    after: Verdict | None

    @property
    def changed(self) -> bool:
        """True when the verdicts differ."""
        return self.before is not self.after


@dataclass(frozen=True)
class RowView:
    """One compared measurement with its drawing."""

    row: ComparedRow
    strip: Markup

    @property
    def changed(self) -> bool:
        """True when the change is past noise and doubt."""
        return self.row.word in ("lower", "higher")


def transitions(before: Diagnosis, after: Diagnosis) -> tuple[Transition, ...]:
    """Verdicts of both, in the order of the second, then what only the first lists."""
    old = {finding.condition: finding for finding in before.findings}
    new = {finding.condition: finding for finding in after.findings}
    return tuple(
        Transition(
            condition=name,
            title=(new.get(name) or old[name]).title,
            before=old[name].verdict if name in old else None,
            after=new[name].verdict if name in new else None,
        )
        for name in dict.fromkeys([*new, *old])
    )


def compare_html(before: Scan, after: Scan, before_diagnosis: Diagnosis, after_diagnosis: Diagnosis) -> str:
    """The comparison as one file that opens from disk; changed rows open, unchanged ones folded and counted."""
    comparison = compare_scans(before, after)
    moves = transitions(before_diagnosis, after_diagnosis)
    views = [RowView(row, pair_strip(row)) for row in comparison.rows]
    return assemble(
        "compare.html.j2",
        before=before,
        after=after,
        comparison=comparison,
        moves=moves,
        grid=_grid(moves),
        changed=[view for view in views if view.changed],
        unchanged=[view for view in views if not view.changed],
        notice=_notice(comparison),
    )


def print_comparison(
    console: Console, before: Scan, after: Scan, before_diagnosis: Diagnosis, after_diagnosis: Diagnosis
) -> None:
    """The same on a terminal: verdicts that changed, then measurements that changed."""
    comparison = compare_scans(before, after)
    console.print(_plain(f"{before.subject.name}  ->  {after.subject.name}", "bold"))
    if notice := _notice(comparison):
        console.print(_plain(notice, "bold"))
    moves = transitions(before_diagnosis, after_diagnosis)
    console.print(_plain("Verdicts that changed:" if any(m.changed for m in moves) else "No verdict changed."))
    for move in moves:
        if move.changed:
            console.print(_plain(f"  {move.condition}: {_word(move.before)} -> {_word(move.after)}"))
    changed = [row for row in comparison.rows if row.word in ("lower", "higher")]
    if changed:
        console.print(_table(changed))
    tally = {word: sum(row.word == word for row in comparison.rows) for word in ("within-noise", "cannot-tell")}
    console.print(
        _plain(f"{len(changed)} changed, {tally['within-noise']} within noise, {tally['cannot-tell']} cannot tell.")
    )


def _table(rows: list[ComparedRow]) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("measurement", "before", "after", "difference", "word"):
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(
            _plain(row.name),
            _plain(ascii_numbers(brief(row.before))),
            _plain(ascii_numbers(brief(row.after))),
            _plain(ascii_numbers(number(row.difference, signed=True))),
            _plain(f"{row.word} ({row.toward})" if row.toward != "neither" else row.word),
        )
    return table


def _notice(comparison: Comparison) -> str:
    if not comparison.rows:
        return NO_COMPARISON
    return "" if comparison.same_texts else OTHER_TEXTS


def _grid(moves: tuple[Transition, ...]) -> dict[tuple[Verdict, Verdict], int]:
    """Counts of conditions by verdict before and after."""
    counted = dict.fromkeys(product(WORDS, WORDS), 0)
    for move in moves:
        if move.before is not None and move.after is not None:
            counted[move.before, move.after] += 1
    return counted


def _word(verdict: Verdict | None) -> str:
    return "not listed" if verdict is None else WORDS[verdict].word


def _plain(words: str, style: str = "") -> Text:
    return Text(visible(words, keep=""), style)
