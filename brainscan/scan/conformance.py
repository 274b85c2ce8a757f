"""One suite that judges every instrument, built-in or a plugin's: ``check_instrument(instrument, subject)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainscan.core.errors import PlanError
from brainscan.scan.instrument import Examination, Instrument, Report, Workload
from brainscan.scan.record import Step

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


def check_instrument(
    instrument: Instrument, subject: LanguageSubject, reference: LanguageSubject | None = None
) -> Report:
    """Run an instrument twice on its smallest plan and judge what it hands back.

    Judged: the protocol's fields; settings that JSON can hold; a workload; equal reports for equal
    examinations; names that start with the instrument's own; evidence and figures that point at
    measurements and arrays which exist; colours that fit their tokens; progress within 0 and 1.

    Args:
        instrument: what to judge.
        subject: any subject, a phantom will do.
        reference: needed when the instrument says so.

    Returns:
        The report of the first run, for further tests.

    Raises:
        PlanError: the first rule that does not hold, as a sentence.
    """
    _need(isinstance(instrument, Instrument), "it lacks a part of the Instrument protocol")
    plan = next((p for p in ("quick", "standard", "full") if instrument.settings(p) is not None), None)
    _need(plan is not None, "it sits out every plan")
    settings = instrument.settings(plan or "quick") or {}
    _need(
        all(isinstance(v, int | float | str | bool) for v in settings.values()),
        "its settings hold more than plain values",
    )
    _need(isinstance(instrument.workload(settings), Workload), "workload() gives no Workload")
    _need(all(isinstance(text, str) for text in instrument.texts()), "texts() holds something that is not text")
    _need(reference is not None or not instrument.needs_reference, "it needs a reference and the check was given none")
    step = Step(instrument=instrument.name, title=instrument.title, settings=settings, layers=subject.spread_layers())
    seen: list[float] = []
    first = instrument.run(Examination(subject, reference, step, 0, lambda fraction, words: seen.append(fraction)))
    second = instrument.run(Examination(subject, reference, step, 0))
    _need(all(0 <= fraction <= 1 for fraction in seen), "progress leaves 0 to 1")
    _need(_same(first, second), "two runs of the same examination differ")
    _judge(instrument, first)
    return first


def _judge(instrument: Instrument, report: Report) -> None:
    names = [m.name for m in report.measurements]
    _need(len(set(names)) == len(names), "two measurements share a name")
    _need(
        all(name.startswith(f"{instrument.name}.") for name in names),
        f"a measurement's name does not start with {instrument.name}.",
    )
    for evidence in report.evidence:
        _need(evidence.measurement in names, f"evidence points at {evidence.measurement}, which was not measured")
        _need(len(evidence.weights) in (0, len(evidence.tokens)), "evidence has not one weight a token")
    for figure in report.figures:
        array = report.arrays.get(figure.array)
        _need(array is not None, f"the figure {figure.title!r} names an array that is not there")
        shape = (len(figure.layers), len(figure.tokens)) if figure.kind == "scan-image" else (len(figure.layers),)
        _need(array is not None and array.shape == shape, f"the figure {figure.title!r} has an array of another shape")
        _need(
            figure.band is None or figure.band in report.arrays,
            f"the figure {figure.title!r} names a band that is not there",
        )
    for measurement in report.measurements:
        inside = measurement.unit != "rate" or 0 <= measurement.value <= 1
        _need(inside, f"the rate {measurement.name} is not between 0 and 1")


def _same(a: Report, b: Report) -> bool:
    arrays = a.arrays.keys() == b.arrays.keys() and all(
        a.arrays[name].tobytes() == b.arrays[name].tobytes() for name in a.arrays
    )
    return arrays and (a.measurements, a.evidence, a.figures, a.notes) == (
        b.measurements,
        b.evidence,
        b.figures,
        b.notes,
    )


def _need(holds: bool, rule: str) -> None:
    if not holds:
        raise PlanError(f"This is not an instrument yet: {rule}.", "docs/writing-an-instrument.md shows a whole one.")
