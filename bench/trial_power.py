"""How many controls buy how much: the same scans judged again with fewer controls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainscan.diagnosis.calibration import Calibration
from brainscan.diagnosis.judge import judge
from brainscan.scan.record import Scan

LEVELS = (0.05, 0.1, 0.2)
COUNTS = (4, 9, 14, 19)
DRAWS = 10


def power(scans: Sequence[Scan], calibration: Calibration) -> dict[str, list[tuple[float, float]]]:
    """Level -> (controls, share of organisms flagged at it), a mean over random choices of the controls.

    With m controls no p-value is below 1 / (m + 1), so that a level below it flags nothing.
    """
    rng = np.random.default_rng(0)
    found: dict[str, list[tuple[float, float]]] = {f"at {level:.0%}": [] for level in LEVELS}
    for count in (c for c in COUNTS if c <= len(calibration.controls)):
        p_values = [p for _ in range(DRAWS) for p in _p_values(scans, _some(calibration, count, rng))]
        for level in LEVELS:
            found[f"at {level:.0%}"].append((float(count), float(np.mean([p <= level for p in p_values]))))
    return found


def _some(calibration: Calibration, count: int, rng: np.random.Generator) -> Calibration:
    chosen = rng.permutation(len(calibration.controls))[:count]
    return calibration.model_copy(update={"controls": tuple(calibration.controls[int(i)] for i in chosen)})


def _p_values(scans: Sequence[Scan], calibration: Calibration) -> list[float]:
    standings = [judge(scan, calibration).together for scan in scans]
    return [1.0 if each is None else each.p_value for each in standings]
