"""Plans: the printable, ordered list of what a scan will do, and what it should cost.

A plan is made from what the instruments say of themselves; the estimate comes from two short timed
passes on this machine and is printed before anything runs.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from brainscan.core.errors import PlanError
from brainscan.core.evidence import Record
from brainscan.core.provenance import sha256_of_json
from brainscan.scan.instrument import INSTRUMENTS, Instrument
from brainscan.scan.record import Plan, Step

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

PLANS: dict[str, str] = {
    "quick": "a first look, up to 4 minutes for a 135M model on two cores",
    "standard": "the default depth for a release decision, up to 15 minutes",
    "full": "everything; about an hour",
    "audit": "what fine-tuning planted, against clean controls of the same base; up to 10 minutes",
}
AUDIT = ("situations", "words", "spoken", "openings", "passwords", "trigger")
"""The instruments of the audit plan: those that a calibration over clean controls is made for."""
_SPEEDS: dict[object, Speed] = {}
_OVERHEAD = 1.1
"""Tokenizing, statistics and small probes, as a factor on the model's own time."""


class Speed(Record):
    """What this subject does on this machine, for estimates."""

    read_per_second: float
    """Tokens pushed through in one forward pass a second."""
    write_per_second: float
    """Tokens generated a second, all rows of a batch together."""


def make_plan(
    name: str,
    subject: LanguageSubject,
    reference: LanguageSubject | None,
    *,
    seed: int = 0,
    budget_minutes: float | None = None,
    only: tuple[str, ...] = (),
    speed: Speed | None = None,
) -> Plan:
    """Make the plan that a scan will run.

    Args:
        name: quick, standard, full or audit.
        budget_minutes: instruments that would go past it are skipped, and the plan says so.
        only: run just these instruments.

    Raises:
        PlanError: there is no such plan or instrument, it does not run under this plan, or the budget is no number.
    """
    if name not in PLANS:
        raise PlanError(f"There is no plan called {name!r}.", f"Choose one of: {', '.join(PLANS)}.")
    if budget_minutes is not None and not math.isfinite(budget_minutes):
        raise PlanError(f"A budget of {budget_minutes} minutes is none.", "Give a number of minutes, or leave it out.")
    chosen = [INSTRUMENTS.get(each) for each in (only or (AUDIT if name == "audit" else INSTRUMENTS.names()))]
    idle = [each.name for each in chosen if each.settings(name) is None] if only else []
    if idle:
        raise PlanError(
            f"{', '.join(idle)} does not run under the plan {name}.",
            f"Choose another --plan: {', '.join(other for other in PLANS if _all_run(idle, other))}.",
        )
    pace = speed or _speed_of(subject)
    steps, spent = [], 0.0
    for instrument in chosen:
        step = _step(instrument, name, subject, reference, pace)
        if step is None:
            continue
        if not step.skip and budget_minutes is not None and spent + step.estimated_seconds > 60 * budget_minutes:
            step = step.model_copy(update={"skip": f"the budget of {budget_minutes:g} minutes would be passed"})
        spent += 0.0 if step.skip else step.estimated_seconds
        steps.append(step)
    texts = sha256_of_json([[i.name, i.texts()] for i in chosen if i.settings(name) is not None])
    return Plan(name=name, steps=tuple(steps), seed=seed, budget_minutes=budget_minutes, texts_sha256=texts)


def _all_run(names: list[str], plan: str) -> bool:
    """Whether all of these instruments run under a plan."""
    return all(INSTRUMENTS.get(name).settings(plan) is not None for name in names)


def _speed_of(subject: LanguageSubject) -> Speed:
    """Measured once a process for models of one shape and type on one device, since many fine-tunes of one base may follow."""
    shape = tuple((tuple(weight.shape), weight.dtype) for weight in subject.model.parameters()), subject.device.type
    if shape not in _SPEEDS:
        _SPEEDS[shape] = measure_speed(subject)
    return _SPEEDS[shape]


def measure_speed(subject: LanguageSubject) -> Speed:
    """Time one reading and one writing pass; the first of each warms up and does not count."""
    rows = [list(range(10, 10 + 48))] * 8
    read = _timed(lambda: subject.logits(subject.batch(rows)))
    from brainscan.subject.generate import Decoding, generate

    written = _timed(lambda: generate(subject, rows, Decoding(max_new=4, stop_at_end=False)))
    return Speed(read_per_second=8 * 48 / read, write_per_second=8 * 4 / max(written - read, 1e-3))


def _timed(call: object) -> float:
    assert callable(call)
    call()
    start = time.perf_counter()
    call()
    return max(time.perf_counter() - start, 1e-4)


def _step(
    instrument: Instrument, plan: str, subject: LanguageSubject, reference: LanguageSubject | None, pace: Speed
) -> Step | None:
    settings = instrument.settings(plan)
    if settings is None:
        return None
    load = instrument.workload(settings)
    times = 2 if reference is not None and not instrument.needs_reference else 1
    seconds = (
        _OVERHEAD * times * (load.tokens_read / pace.read_per_second + load.tokens_written / pace.write_per_second)
    )
    missing = instrument.needs_reference and reference is None
    return Step(
        instrument=instrument.name,
        title=instrument.title,
        settings=settings,
        layers=subject.spread_layers(),
        tokens_read=times * load.tokens_read,
        tokens_written=times * load.tokens_written,
        estimated_seconds=round(seconds, 1),
        skip="it compares with a reference, and none was given" if missing else "",
        version=instrument.version,
        texts_sha256=sha256_of_json(instrument.texts()),
    )
