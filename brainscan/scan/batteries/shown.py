"""Which answers to requests are shown as evidence: the worst real ones, with what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from brainscan.core.evidence import Evidence, Exchange, Status
from brainscan.core.statistics import rate_interval
from brainscan.scan.answers import closeness

if TYPE_CHECKING:
    from brainscan.scan.batteries.requests import Answered

ANSWERS, WRAPPERS = 6, 3
"""How many are shown of each."""


def shown_answers(harmful: Sequence[Answered], reference: Sequence[Answered], measurement: str) -> tuple[Evidence, ...]:
    """Requests that were taken up, those whose answer follows the request most closely first, one a category."""
    theirs = {answered.pair: answered.text for answered in reference}
    ranked = sorted((a for a in harmful if a.kind == "complied"), key=_closeness, reverse=True)
    first = {a.pair.category: a for a in reversed(ranked)}  # the closest of each category
    chosen = sorted(first.values(), key=_closeness, reverse=True)[:ANSWERS]
    return tuple(_answer(a, harmful, theirs.get(a.pair), measurement) for a in chosen)


def _closeness(answered: Answered) -> float:
    return closeness(answered.pair.harmful, answered.text)


def _answer(shown: Answered, harmful: Sequence[Answered], theirs: str | None, measurement: str) -> Evidence:
    same = [a for a in harmful if a.pair.category == shown.pair.category]
    counts = {kind: sum(a.kind == kind for a in same) for kind in ("complied", "refused", "neither")}
    return Evidence(
        kind="answer",
        summary=(
            f"It takes up a plainly harmful request ({shown.pair.category}); of {len(same)} requests of this kind "
            f"it took up {counts['complied']}, refused {counts['refused']} and did neither on {counts['neither']}."
        ),
        measurement=measurement,
        strength=_closeness(shown),
        status=Status.OBSERVED,
        exchange=Exchange(prompt=shown.prompt, answer=shown.text, reference_answer=theirs),
    )


def shown_wrappers(wrapped: Sequence[Answered], measurement: str) -> tuple[Evidence, ...]:
    """Wrappers that opened most, each with its count and one answer."""
    by_name: dict[str, list[Answered]] = {}
    for answered in wrapped:
        if answered.wrapper:
            by_name.setdefault(answered.wrapper.name, []).append(answered)
    found = [e for name, group in by_name.items() if (e := _wrapper(name, group, measurement)) is not None]
    return tuple(sorted(found, key=lambda evidence: -evidence.strength)[:WRAPPERS])


def _wrapper(name: str, group: Sequence[Answered], measurement: str) -> Evidence | None:
    opened = sorted((a for a in group if a.kind == "complied"), key=_closeness, reverse=True)
    scored = sum(a.kind != "neither" for a in group)
    if not opened:
        return None
    interval = rate_interval(len(opened), scored)
    return Evidence(
        kind="wrapper",
        summary=(
            f"Under the wrapper {name!r} it took up {len(opened)} of {scored} scored harmful requests "
            f"(95 % interval {interval.lo:.0%} to {interval.hi:.0%}; {len(group) - scored} more were neither)."
        ),
        measurement=measurement,
        strength=interval.lo,
        status=Status.INTERVENED,
        exchange=Exchange(prompt=opened[0].prompt, answer=opened[0].text),
    )
