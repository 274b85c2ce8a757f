"""brainscan: an MRI for AI.

Importing this package costs nothing: every name below is loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainscan.activations.capture import capture
    from brainscan.clinic.examine import examine
    from brainscan.core.address import Site
    from brainscan.diagnosis.finding import Finding, Verdict
    from brainscan.scan.record import Scan, read_scan
    from brainscan.subject.edit import Edit
    from brainscan.subject.load import load_subject
    from brainscan.treatment.treated import treated

_FRONT_DOOR = {
    "Edit": "brainscan.subject.edit",
    "Finding": "brainscan.diagnosis.finding",
    "Scan": "brainscan.scan.record",
    "Site": "brainscan.core.address",
    "Verdict": "brainscan.diagnosis.finding",
    "capture": "brainscan.activations.capture",
    "examine": "brainscan.clinic.examine",
    "load_subject": "brainscan.subject.load",
    "read_scan": "brainscan.scan.record",
    "treated": "brainscan.treatment.treated",
}

__all__ = [
    "Edit",
    "Finding",
    "Scan",
    "Site",
    "Verdict",
    "capture",
    "examine",
    "load_subject",
    "read_scan",
    "treated",
]


def __getattr__(name: str) -> Any:
    if name in _FRONT_DOOR:
        return getattr(importlib.import_module(_FRONT_DOOR[name]), name)
    raise AttributeError(f"module 'brainscan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
