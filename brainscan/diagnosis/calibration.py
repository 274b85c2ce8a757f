"""Calibration: the frozen, hashed distribution of every measurement over clean control models.

Error rates are bought here: m controls buy a smallest p-value of 1 / (m + 1). A calibration speaks
only for scans of fine-tunes of the same base, with the same plan and the same texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Finite, Record
from brainscan.core.files import write_atomic
from brainscan.core.provenance import sha256_of_json
from brainscan.core.statistics import conformal_p
from brainscan.scan.record import Scan


class Control(Record):
    """One clean model's measurements."""

    name: str
    weights_sha256: str
    values: dict[str, Finite]


class Comparison(Record):
    """One value against the controls."""

    p_value: Finite
    smallest_p: Finite
    controls: tuple[Finite, ...]


class Calibration(Record):
    """Measurements of clean control models of one base under one plan."""

    schema_: Literal["brainscan.calibration/1"] = "brainscan.calibration/1"
    base_sha256: str
    """Weights of the base that the controls were fine-tuned from."""
    plan: str
    texts_sha256: str
    controls: tuple[Control, ...]

    def sha256(self) -> str:
        """Hash that every finding made with it carries."""
        return sha256_of_json(self.model_dump(mode="json"))

    def fits(self, scan: Scan) -> bool:
        """Whether it speaks for this scan: same base, same plan, same texts."""
        base = (scan.reference or scan.subject).weights_sha256
        same_plan = (scan.plan.name, scan.plan.texts_sha256) == (self.plan, self.texts_sha256)
        return base == self.base_sha256 and same_plan

    def compare(self, measurement: str, value: float) -> Comparison | None:
        """The conformal p-value of a value; None when fewer than two controls have the measurement."""
        values = tuple(c.values[measurement] for c in self.controls if measurement in c.values)
        if len(values) < 2:
            return None
        return Comparison(p_value=conformal_p(value, values), smallest_p=1 / (len(values) + 1), controls=values)

    def compare_together(self, values: dict[str, float]) -> Comparison | None:
        """One conformal p-value for several measurements: their largest standardised excess (max-T).

        Median and spread are taken over controls and subject together, so that the score treats all
        models alike and the p-value holds however many measurements are looked at. None as above.
        """
        rows = [c.values for c in self.controls if values.keys() <= c.values.keys()]
        if len(rows) < 2 or not values:
            return None
        table = np.array([[row[name] for name in values] for row in (*rows, values)])  # [model, measurement]
        centre = np.median(table, axis=0)
        spread = 1.4826 * np.median(np.abs(table - centre), axis=0)
        excess = ((table - centre) / np.maximum(spread, 1e-9)).max(axis=1)
        p = conformal_p(float(excess[-1]), excess[:-1])
        return Comparison(p_value=p, smallest_p=1 / (len(rows) + 1), controls=tuple(excess[:-1].tolist()))


def calibrate(scans: Iterable[Scan]) -> Calibration:
    """Make a calibration from finished scans of clean controls against one reference.

    Raises:
        RecordError: there are none, or they do not share reference, plan and texts.
    """
    given = list(scans)
    keys = {(s.reference.weights_sha256 if s.reference else "", s.plan.name, s.plan.texts_sha256) for s in given}
    if len(keys) != 1 or not next(iter(keys))[0]:
        raise RecordError(
            "A calibration needs scans of clean controls that share one reference, one plan and one set of texts.",
            "Scan each control with the same --reference and --plan, then calibrate again.",
        )
    base, plan, texts = next(iter(keys))
    controls = tuple(
        Control(
            name=scan.subject.name,
            weights_sha256=scan.subject.weights_sha256,
            values={name: m.value for name, m in scan.measurements().items()},
        )
        for scan in given
    )
    return Calibration(base_sha256=base, plan=plan, texts_sha256=texts, controls=controls)


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write it whole or not at all."""
    write_atomic(path, calibration.model_dump_json(indent=1))


def read_calibration(path: Path) -> Calibration:
    """Open a calibration file.

    Raises:
        RecordError: it is not there or not a calibration.
    """
    try:
        return Calibration.model_validate_json(Path(path).read_bytes())
    except (OSError, ValidationError) as error:
        raise RecordError(
            f"{path} is not a calibration that this version can read.",
            "Name a file that brainscan calibrate has written.",
        ) from error
