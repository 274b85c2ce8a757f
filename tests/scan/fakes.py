"""Fake instruments: plain functions behind the protocol, so that running a scan can be tested in milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from brainscan.core.evidence import Evidence, Figure, Measurement
from brainscan.core.statistics import rate_interval
from brainscan.scan.instrument import Examination, Report, Workload


@dataclass(frozen=True)
class FakeInstrument:
    """An instrument that calls ``look``."""

    name: str
    look: Callable[[Examination], Report]
    title: str = "A fake"
    needs_reference: bool = False
    version: int = 1
    tokens: int = 100

    def settings(self, plan: str) -> dict[str, int | float | str | bool] | None:
        return None if plan == "quick" and self.name.startswith("deep") else {"items": 4}

    def texts(self) -> tuple[str, ...]:
        return ("a text",)

    def workload(self, settings: dict[str, int | float | str | bool]) -> Workload:
        return Workload(tokens_read=self.tokens)

    def run(self, examination: Examination) -> Report:
        examination.progress(0.5, "half")
        return self.look(examination)


def rate(name: str, hits: int, n: int, **fields: object) -> Measurement:
    """A rate with its interval."""
    return Measurement(name=name, value=hits / n, unit="rate", n=n, interval=rate_interval(hits, n), **fields)  # type: ignore[arg-type]


def full_report(examination: Examination) -> Report:
    """A report that uses every part: measurement, evidence, figure, array, note."""
    name = examination.step.instrument
    draw = examination.rng("draw").integers(0, 5)
    return Report(
        measurements=(rate(f"{name}.found", int(draw), 4),),
        evidence=(
            Evidence(
                kind="answer",
                summary="One.",
                measurement=f"{name}.found",
                strength=1.0,
                tokens=("a", "b"),
                weights=(0.0, 1.0),
            ),
        ),
        figures=(
            Figure(
                kind="layer-profile",
                title="A profile",
                caption="By layer.",
                measurement=f"{name}.found",
                array=f"{name}.profile",
                layers=(0, 1, 2),
            ),
        ),
        arrays={f"{name}.profile": np.array([0.0, 1.0, float("nan")], dtype=np.float32)},
        notes=("a note",),
    )
