"""The instruments of a vision scan: what each is given, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brainscan.core.registry import Registry
from brainscan.features.channels.table import ChannelTable
from brainscan.scan.instrument import Report
from brainscan.scan.record import Step
from brainscan.subject.vision.subject import VisionSubject


@dataclass(frozen=True)
class VisionExamination:
    """What an instrument is given to look at and with."""

    subject: VisionSubject
    table: ChannelTable
    """The survey of the images."""
    pixels: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    """Reopens images of the survey by number: [image, 3, size, size]."""
    step: Step
    seed: int
    progress: Callable[[float, str], None] = field(default=lambda fraction, what: None)


class VisionInstrument(Protocol):
    """One way to look at a vision model. It holds no state."""

    name: str
    title: str
    version: int

    def skip(self, subject: VisionSubject) -> str:
        """Why this subject cannot be looked at in this way; empty when it can."""
        ...

    def settings(self) -> dict[str, int | float | str | bool]:
        """Sizes, as printed with the plan."""
        ...

    def run(self, examination: VisionExamination) -> Report:
        """Look. Raises BrainscanError when it cannot."""
        ...


VISION_INSTRUMENTS: Registry[VisionInstrument] = Registry(
    "a vision instrument",
    "brainscan.vision_instruments",
    {
        "channels": "brainscan.scan.vision.channels:INSTRUMENT",
        "cues": "brainscan.scan.vision.lean:INSTRUMENT",
        "patch": "brainscan.scan.vision.hunt:INSTRUMENT",
    },
)
"""Name -> import path, in the order in which a plan runs them."""
