"""The table of a survey: for every image and channel the mean and the peak over positions, on disk. No torch.

A survey is a folder::

    about.json      what was run over what, which images, what was skipped; written last
    means.npy       [image, channel of every site in order] float32
    peaks.npy       the same, largest value over positions
    logits.npy      [image, class] float32
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from brainscan.core.errors import RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.files import write_atomic

ABOUT = "about.json"
Floats = NDArray[np.float32]
Statistic = Literal["mean", "peak"]


class SurveyedSite(Record):
    """One site and where its channels stand in the table."""

    site: str
    path: str
    """Module path, for readers."""
    start: int
    width: int


class SurveyedImage(Record):
    """One image that was run."""

    name: str
    label: str
    caption: str = ""


class About(Record):
    """What was run over what."""

    schema_: Literal["brainscan.channels/1"] = "brainscan.channels/1"
    subject: str
    subject_sha256: str
    images: tuple[SurveyedImage, ...]
    folder: str
    """Where the images lay."""
    skipped: tuple[str, ...]
    """One line for each image that was left out."""
    converted: dict[str, int]
    """How many images were converted to RGB, by what they were."""
    sites: tuple[SurveyedSite, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class ChannelTable:
    """A survey, opened. Arrays are mapped from disk, not read."""

    about: About
    means: Floats  # [image, channel]
    peaks: Floats  # [image, channel]
    logits: Floats  # [image, class]

    def statistic(self, name: Statistic) -> Floats:
        """The means or the peaks."""
        return self.means if name == "mean" else self.peaks

    @cached_property
    def labels(self) -> NDArray[np.str_]:
        """Label of each image; "" for none."""
        return np.array([image.label for image in self.about.images], dtype=str)

    def column(self, site: str, channel: int) -> int:
        """Where a channel stands.

        Raises:
            UsageError: the survey did not read it.
        """
        for each in self.about.sites:
            if each.site == site and 0 <= channel < each.width:
                return each.start + channel
        raise UsageError(f"The survey has no channel {site}/{channel}.", "Its sites are in about.json.")

    def address(self, column: int) -> tuple[SurveyedSite, int]:
        """Site and channel of a column."""
        for each in self.about.sites:
            if each.start <= column < each.start + each.width:
                return each, column - each.start
        raise UsageError(f"The survey has no column {column}.", f"It has {self.means.shape[1]}.")


def write_about(folder: Path, about: About) -> None:
    """Finish a survey: with this file it is complete."""
    write_atomic(folder / ABOUT, about.model_dump_json(indent=1))


def read_table(folder: Path) -> ChannelTable:
    """Open a finished survey.

    Raises:
        RecordError: there is none, it is unfinished or broken.
    """
    path = Path(folder) / ABOUT
    try:
        about = About.model_validate_json(path.read_bytes())
        arrays = [
            np.load(Path(folder) / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("means", "peaks", "logits")
        ]
    except (OSError, ValueError, ValidationError) as error:
        raise RecordError(f"{folder} holds no finished survey of channels.", "Run: brainscan vision scan") from error
    n, width = len(about.images), sum(site.width for site in about.sites)
    means, peaks, logits = (array[:n] for array in arrays)
    if means.shape != (n, width) or peaks.shape != (n, width) or len(logits) != n:
        raise RecordError(f"The arrays in {folder} do not fit its about.json.", "Survey the images again.")
    return ChannelTable(about, means, peaks, logits)
