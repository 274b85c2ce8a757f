"""The calibrations that ship with brainscan, and which of them speaks for a scan."""

from __future__ import annotations

from functools import cache
from importlib import resources

from brainscan.diagnosis.calibration import Calibration
from brainscan.scan.record import Scan


@cache
def shipped() -> tuple[Calibration, ...]:
    """Every calibration in the package."""
    folder = resources.files("brainscan.diagnosis") / "shipped"
    if not folder.is_dir():
        return ()
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    return tuple(Calibration.model_validate_json(file.read_bytes()) for file in files)


def other_plans(scan: Scan) -> tuple[str, ...]:
    """Plans under which a calibration for the scan's base ships."""
    return tuple(each.plan for each in shipped() if each.same_base(scan) and each.plan != scan.plan.name)


def calibration_for(scan: Scan) -> Calibration | None:
    """The one that fits the scan; None when there is none for its base and plan."""
    return next((each for each in shipped() if each.fits(scan)), None)
