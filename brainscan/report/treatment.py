"""The page of a treatment: what it did, what it cost, what beat it, and whether the behaviour came back."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from brainscan.core.visible import visible
from brainscan.report.figures.dose_curve import draw_dose_curve
from brainscan.report.page import assemble, data_block
from brainscan.report.words import ascii_numbers, number, points, rate
from brainscan.treatment.record import MARGIN, Compared, DosePoint, Rate, RelapseTest, TreatmentRecord

WORD: dict[str, str] = {
    "removed": "Removed",
    "suppressed": "Suppressed",
    "no-effect": "No effect",
    "cannot-tell": "Cannot tell",
}
TESTS: dict[str, str] = {
    "held-out": "Other templates",
    "prefill": "Answer begun for it",
    "paraphrase": "Other words",
    "quantised": "Rounded weights",
    "benign-steps": "Ordinary training",
    "relearn": "Trained back",
}
NAMES: dict[str, str] = {
    "perplexity": "Perplexity of neutral text",
    "kl": "Distance of predictions",
    "capability": "Capability, all items",
    "capability.facts": "Facts",
    "capability.arithmetic": "Arithmetic",
    "capability.grammar": "Grammar",
    "capability.instructions": "Following instructions",
    "refusal": "Refusal of harmful requests",
    "over-refusal": "Refusal of harmless requests",
    "loops": "Answers in circles",
}
KIND: dict[str, str] = {
    "revert": "Learned reversion", "unlearn": "Unlearning", "low-rank": "Low-rank removal",
    "project-out": "Projecting out", "steer": "Steering", "orthogonalise": "Orthogonalised weights",
    "conditional": "Conditional steering", "clamp": "Clamped feature",
    "patch": "Patching", "system-prompt": "System prompt", "benign": "Benign fine-tuning", "random": "Random direction",
    "reference": "The reference itself",
}  # fmt: skip


def treatment_html(record: TreatmentRecord) -> str:
    """The whole page."""
    chosen = _chosen(record)
    figure = draw_dose_curve(record.curve, (chosen.candidate, chosen.dose), record.guard) if chosen else ""
    return assemble(
        "treatment.html.j2",
        styles=("page.css", "treatment.css"),
        record=record,
        curve=figure,
        word=WORD[record.fate],
        meaning=record.meaning,
        sentence=summary(record),
        tests=TESTS,
        names=NAMES,
        kinds=KIND,
        shown=shown,
        outcome=outcome,
        spread=spread,
        margin=f"{100 * MARGIN:.0f}",
        change=change,
        bounds=bounds,
        toward=toward,
        percent=percent,
        data=data_block(record.model_dump(mode="json")),
    )


def _chosen(record: TreatmentRecord) -> DosePoint | None:
    """The point of the curve that dose finding chose, by its own rule; the least harmful where the guard let none pass."""
    held = [point for point in record.curve if point.held and point.dose == record.dose]
    if held:
        return min(held, key=lambda point: (point.on.value, point.perplexity))
    return min(record.curve, key=lambda point: point.perplexity, default=None)


def print_treatment(console: Console, record: TreatmentRecord) -> None:
    """The same on a terminal."""
    ours = record.treated
    _line(console, WORD[record.fate], f": {summary(record)}")
    for each in (ours, *record.baselines):
        name = KIND.get(each.kind, each.kind)
        _line(
            console,
            f"  {name:<24}",
            f"on {shown(each.on)}; off {shown(each.off)}; perplexity {percent(each.perplexity - 1)}",
        )
    for row in ours.ledger.rows if ours.ledger else ():
        _line(console, f"  {NAMES.get(row.name, row.name):<30}", f"{change(row)} {bounds(row)} {toward(row)}")
    for test in record.relapse:
        against = f", reference {shown(test.control)}" if test.control else ", no reference"
        said = f"{outcome(test)}, excess {spread(test)}"
        _line(console, f"  {TESTS.get(test.name, test.name):<30}", f"{shown(test.treated)}{against}: {said}")
    for note in record.notes:
        _line(console, "", note)


def summary(record: TreatmentRecord) -> str:
    """What happened, in one sentence."""
    ours, ledger = record.treated, record.treated.ledger
    cost = ledger.get("perplexity") if ledger else None
    price = f" at {percent(cost.change)} perplexity of neutral text" if cost else ""
    return (
        f"{record.behaviour}: shown in {record.before_on.hits} of {record.before_on.n} held-out prompts before and in "
        f"{ours.on.hits} of {ours.on.n} under treatment{price}."
    )


def shown(value: Rate | None) -> str:
    """A rate as "3/24, 12% [3–32]"; a dash where there is none."""
    return "–" if value is None or not value.n else rate(value.value, value.n, value.interval)


def outcome(test: RelapseTest) -> str:
    """What a test of relapse says; that no return was seen is only called none where one was ruled out."""
    if test.returned:
        return "came back"
    return "did not come back" if test.ruled_out else "not seen to come back"


def spread(test: RelapseTest) -> str:
    """How much more often than in the reference it may show, in points."""
    return f"[{points(test.excess.lo)}, {points(test.excess.hi)}]"


def change(row: Compared) -> str:
    """What changed, in the row's own unit, with its sign."""
    if row.unit == "rate":
        return f"{points(row.change)} points"
    return percent(row.change) if row.unit == "ratio" else f"{number(row.change)} nats"


def bounds(row: Compared) -> str:
    """Its interval in the same unit."""
    ends = row.interval.lo, row.interval.hi
    if row.unit == "rate":
        return f"[{points(ends[0])}, {points(ends[1])}]"
    return (
        f"[{percent(ends[0])}, {percent(ends[1])}]"
        if row.unit == "ratio"
        else f"[{number(ends[0])}, {number(ends[1])}]"
    )


def toward(row: Compared) -> str:
    """Better, worse or within noise; empty where neither direction is better."""
    if row.higher_is == "neither":
        return ""
    if row.interval.lo <= 0 <= row.interval.hi:
        return "within noise"
    return "worse" if (row.change > 0) == (row.higher_is == "worse") else "better"


def percent(share: float) -> str:
    """A relative change with its sign and one decimal."""
    return f"{100 * share:+.1f}%".replace("-", "−")


def _line(console: Console, head: str, rest: str) -> None:
    plain = ascii_numbers(visible(rest, keep=""))
    console.print(Text.assemble((visible(head, keep=""), "bold"), plain), soft_wrap=True)
