"""A finished sample scan on disk."""

from __future__ import annotations

from pathlib import Path

from brainscan.clinic.seal import seal
from brainscan.diagnosis.record import write_diagnosis
from brainscan.scan.record import Scan, write_scan
from tests.samples import sample_arrays, sample_diagnosis, sample_scan


def write_sample(folder: Path, **changes: object) -> Scan:
    """Write, judge and seal the sample scan; ``changes`` are fields of its record."""
    scan = sample_scan().model_copy(update=changes)
    write_scan(folder, scan, sample_arrays())
    write_diagnosis(folder, sample_diagnosis().model_copy(update={"scan_id": scan.id}))
    seal(folder)
    return scan
