"""Calibration: the frozen, hashed distribution of every measurement over clean control models.

Error rates are bought here: m controls buy a smallest p-value of 1 / (m + 1). A calibration speaks
only for scans of fine-tunes of the same base, with the same plan and the same texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from brainscan.core.errors import RecordError
from brainscan.core.evidence import Finite, Record
from brainscan.core.files import write_atomic
from brainscan.core.provenance import SubjectCard, sha256_of_json
from brainscan.core.statistics import conformal_p
from brainscan.scan.record import Scan

_GROUP_FLOOR = 0.5
"""Smallest spread between clean models that is believed for the largest excess of a group."""


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


class Standing(Record):
    """Where a model stands among the controls when several groups of measurements are looked at together."""

    p_value: Finite
    """Chance that a clean model stands out this far in any group: 1 / (m + 1) at least, 1 at most."""
    smallest_p: Finite
    largest: Finite
    """The largest standardised excess over groups; 0 is the median model, above 5 is far outside."""
    controls: tuple[Finite, ...]
    """The same of each control."""
    excess: dict[str, Finite]
    """Group -> its standardised excess: what the model stands out in."""

    def p_of(self, group: str) -> float | None:
        """Chance that a clean model stands out as far as this one does in a group, in any group; None for no such group."""
        return conformal_p(self.excess[group], self.controls) if group in self.excess else None


class Calibration(Record):
    """Measurements of clean control models of one base under one plan."""

    schema_: Literal["brainscan.calibration/1"] = "brainscan.calibration/1"
    base_sha256: str
    """Weights of the reference that the controls were compared with; empty for scans without a reference."""
    tokenizer_sha256: str
    """Tokenizer of the controls: with the shape what is left to tell a family by where there is no reference."""
    shape: tuple[int, int, int] | None = None
    """Layers, width and parameters of the controls."""
    plan: str
    parts: dict[str, str]
    """Instrument -> hash of its version, texts and settings; measurements of any other are not compared."""
    controls: tuple[Control, ...]

    def sha256(self) -> str:
        """Hash that every finding made with it carries."""
        return sha256_of_json(self.model_dump(mode="json", exclude_none=True))

    def fits(self, scan: Scan) -> bool:
        """Whether it speaks for this scan: same plan and same reference (or none on both sides)."""
        return scan.plan.name == self.plan and self.same_base(scan)

    def same_base(self, scan: Scan) -> bool:
        """Whether the controls are of the scan's base; without a reference, of models built and spelled like the subject."""
        if scan.reference is not None:
            return scan.reference.weights_sha256 == self.base_sha256
        alike = scan.subject.tokenizer_sha256 == self.tokenizer_sha256 and self.shape in (None, _shape(scan.subject))
        return not self.base_sha256 and scan.subject.modality == "text" and alike

    def outdated(self, scan: Scan) -> tuple[str, ...]:
        """Instruments of the scan whose version, texts or settings are not those of the controls."""
        return tuple(step.instrument for step in scan.plan.steps if self.parts.get(step.instrument) != step.part)

    def for_scan(self, scan: Scan) -> Calibration:
        """The same without the measurements of outdated instruments."""
        gone = {
            m.name for result in scan.steps if result.instrument in self.outdated(scan) for m in result.measurements
        }
        kept = [
            c.model_copy(update={"values": {k: v for k, v in c.values.items() if k not in gone}}) for c in self.controls
        ]
        return self.model_copy(update={"controls": tuple(kept)})

    def compare(self, measurement: str, value: float) -> Comparison | None:
        """The conformal p-value of a value; None when fewer than two controls have the measurement."""
        values = tuple(c.values[measurement] for c in self.controls if measurement in c.values)
        if len(values) < 2:
            return None
        return Comparison(p_value=conformal_p(value, values), smallest_p=1 / (len(values) + 1), controls=values)

    def compare_together(self, values: dict[str, float], scales: dict[str, float]) -> Comparison | None:
        """One conformal p-value for several measurements: their largest standardised excess (max-T).

        Median and spread are taken over controls and subject together, so that the score treats all
        models alike and the p-value holds however many measurements are looked at. None as above.

        Args:
            values: measurement -> the subject's value.
            scales: measurement -> smallest spread that is believed, in its unit; clean models that agree exactly
                must not turn the next smallest difference into a discovery.
        """
        rows = [c.values for c in self.controls if values.keys() <= c.values.keys()]
        if len(rows) < 2 or not values:
            return None
        excess = _excess(np.array([[row[name] for name in values] for row in (*rows, values)]), _floors(values, scales))
        largest = excess.max(axis=1)
        p = conformal_p(float(largest[-1]), largest[:-1])
        return Comparison(p_value=p, smallest_p=1 / (len(rows) + 1), controls=tuple(largest[:-1].tolist()))

    def stand(
        self, groups: dict[str, list[str]], values: dict[str, float], scales: dict[str, float]
    ) -> Standing | None:
        """Several groups of measurements (conditions) at once, each with one voice; None as above.

        Measurements are standardised, the largest of each group is standardised again, so that a group of many
        measurements is not the likeliest to stand out by number alone, and the largest over groups is compared.

        Args:
            groups: group -> names of its measurements; those that a control lacks are left out.
        """
        common = set.intersection(*({*c.values} for c in self.controls)) & values.keys() if self.controls else set()
        kept = {
            group: found for group, names in groups.items() if (found := [name for name in names if name in common])
        }
        if len(self.controls) < 2 or not kept:
            return None
        rows = [*(c.values for c in self.controls), values]
        tops = []
        for names in kept.values():
            table = np.array([[row[name] for name in names] for row in rows])  # [model, measurement]
            tops.append(_excess(table, _floors(names, scales)).max(axis=1))
        each = _excess(np.array(tops).T, np.full(len(tops), _GROUP_FLOOR))  # [model, group]
        largest = each.max(axis=1)
        return Standing(
            p_value=conformal_p(float(largest[-1]), largest[:-1]),
            smallest_p=1 / (len(self.controls) + 1),
            largest=float(largest[-1]),
            controls=tuple(largest[:-1].tolist()),
            excess=dict(zip(kept, each[-1].tolist(), strict=True)),
        )


def _floors(names: Iterable[str], scales: dict[str, float]) -> NDArray[np.float64]:
    return np.array([max(scales.get(name, 0.0), 1e-9) for name in names])


def _excess(table: NDArray[np.float64], floors: NDArray[np.float64]) -> NDArray[np.float64]:
    """[model, measurement] distance from the median in robust spreads, none smaller than its floor."""
    centre = np.median(table, axis=0)
    spread = 1.4826 * np.median(np.abs(table - centre), axis=0)
    return (table - centre) / np.maximum(spread, floors)


def calibrate(scans: Iterable[Scan]) -> Calibration:
    """Make a calibration from finished scans of clean controls, all against one reference or all without one.

    Raises:
        RecordError: there are none, they do not share reference, plan, instruments and texts, a step of one has failed,
            or one is there twice.
    """
    given = list(scans)
    keys = {_key(scan) for scan in given}
    if len(keys) != 1:
        raise RecordError(
            "A calibration needs scans of clean controls that share one reference, one plan and one set of texts.",
            "Scan each control with the same --reference and --plan, then calibrate again.",
        )
    broken = [
        f"{scan.subject.name} ({step.instrument})" for scan in given for step in scan.steps if step.outcome == "failed"
    ]
    if broken:
        raise RecordError(
            f"A step of these scans failed: {', '.join(broken)}.",
            "Scan those controls again, or leave them out: a control without a measurement takes it from all.",
        )
    times = Counter(scan.subject.weights_sha256 for scan in given)
    twins = [scan.subject.name for scan in given if times[scan.subject.weights_sha256] > 1]
    if twins:
        raise RecordError(
            f"The same model is there more than once: {', '.join(twins)}.",
            "Give each control once: every control counts as a clean model of its own.",
        )
    first = given[0]
    controls = tuple(
        Control(
            name=scan.subject.name,
            weights_sha256=scan.subject.weights_sha256,
            values={name: m.value for name, m in scan.measurements().items()},
        )
        for scan in given
    )
    return Calibration(
        base_sha256=first.reference.weights_sha256 if first.reference else "",
        tokenizer_sha256=first.subject.tokenizer_sha256,
        shape=_shape(first.subject),
        plan=first.plan.name,
        parts={step.instrument: step.part for step in first.plan.steps},
        controls=controls,
    )


def _shape(subject: SubjectCard) -> tuple[int, int, int]:
    return subject.n_layers, subject.d_model, subject.n_parameters


def _key(scan: Scan) -> tuple[object, ...]:
    reference = scan.reference.weights_sha256 if scan.reference else _shape(scan.subject)
    parts = tuple(step.part for step in scan.plan.steps)
    return reference, scan.subject.tokenizer_sha256, scan.plan.name, parts


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
