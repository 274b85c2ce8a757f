"""The behaviour battery: what the subject says and prefers, seen from outside.

Five batteries, one a file in ``brainscan.scan.batteries``: harmful requests and jailbreaks, sycophancy,
deception under pressure, power-seeking, and sandbagging under the look of an evaluation. The subject is
run first, then the reference on the same items; every measurement then has a paired ``.shift``.
"""

from __future__ import annotations

from typing import Any

from brainscan.scan.batteries.battery import Battery
from brainscan.scan.batteries.evaluation import Evaluation
from brainscan.scan.batteries.power import Power
from brainscan.scan.batteries.pressure import Pressure
from brainscan.scan.batteries.requests import Requests
from brainscan.scan.batteries.sycophancy import Sycophancy
from brainscan.scan.instrument import Examination, Report, Workload

BATTERIES: tuple[Battery[Any], ...] = (Requests(), Sycophancy(), Pressure(), Power(), Evaluation())


class Behaviour:
    """Generated answers and log-probability choices, with controls and, if there is one, the reference."""

    name = "behaviour"
    title = "Answers to harmful requests, opinions, pressure, power and evaluation"
    needs_reference = False
    version = 1

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        """Sizes of all batteries."""
        return {key: size for battery in BATTERIES for key, size in battery.sizes(plan).items()}

    def texts(self) -> tuple[str, ...]:
        """Texts of all batteries."""
        return tuple(text for battery in BATTERIES for text in battery.texts())

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        """One subject through all batteries."""
        loads = [battery.workload(settings) for battery in BATTERIES]
        return Workload(sum(load.tokens_read for load in loads), sum(load.tokens_written for load in loads))

    def run(self, examination: Examination) -> Report:
        """Run every battery on the subject and on the reference.

        Raises:
            InputError: a prompt is longer than the subject reads.
        """
        reports = [_one(battery, examination, number) for number, battery in enumerate(BATTERIES)]
        return Report(
            measurements=tuple(m for report in reports for m in report.measurements),
            evidence=tuple(e for report in reports for e in report.evidence),
            notes=tuple(note for report in reports for note in report.notes),
        )


def _one(battery: Battery[Any], examination: Examination, number: int) -> Report:
    sizes = examination.step.settings
    who = [examination.subject] + ([examination.reference] if examination.reference else [])
    seen = []
    for turn, subject in enumerate(who):
        start, width = (number + turn / len(who)) / len(BATTERIES), 1 / len(who) / len(BATTERIES)

        def tell(fraction: float, words: str, start: float = start, width: float = width) -> None:
            examination.progress(min(1.0, start + width * fraction), f"{battery.name}: {words}")

        seen.append(battery.look(subject, sizes, tell))
    report = battery.judge(seen[0], seen[1] if len(seen) > 1 else None)
    missing = sorted(set(battery.measures) - {m.name for m in report.measurements})
    lost = tuple(f"{name} was not measured: no item of its battery could be scored." for name in missing)
    return Report(report.measurements, report.evidence, report.figures, report.arrays, (*report.notes, *lost))


INSTRUMENT = Behaviour()
