"""The survey: every image runs once, every channel's mean and peak are written down, nothing else is kept.

Memory does not grow with the number of images: rows go to disk as they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap

from brainscan.activations.images import Framing, ImageFile, Loaded, load_images
from brainscan.core.address import Site
from brainscan.core.errors import InputError
from brainscan.core.files import folder_atomic
from brainscan.features.channels.table import (
    ABOUT,
    About,
    ChannelTable,
    SurveyedImage,
    SurveyedSite,
    read_table,
    write_about,
)
from brainscan.subject.progress import Progress, silent
from brainscan.subject.vision.subject import VisionSubject


@dataclass
class _Rows:
    """The arrays on disk and how far they are filled."""

    means: np.ndarray
    peaks: np.ndarray
    logits: np.ndarray
    filled: int = 0


def framing_of(subject: VisionSubject) -> Framing:
    """How this model wants its pictures cut."""
    return Framing(subject.preparation.size, subject.preparation.resize)


def survey_channels(
    subject: VisionSubject,
    files: Sequence[ImageFile],
    out: Path,
    *,
    folder: Path = Path(),
    batch: int = 32,
    progress: Progress = silent,
) -> ChannelTable:
    """Run images through every layer once and write the table of their means and peaks.

    Args:
        files: from ``find_images``; those that cannot be used are skipped, counted and named in the table.
        out: folder of the survey; an older survey there is replaced.
        folder: where the images lie, for the record.

    Raises:
        InputError: fewer than two images could be used. StorageError: the disk refused.
    """
    sites = _sites(subject)
    images: list[SurveyedImage] = []
    skipped: list[str] = []
    converted: Counter[str] = Counter()
    with folder_atomic(out, ABOUT) as part:
        rows = _open(part, len(files), sum(site.width for site in sites), subject.layers[-1].channels)
        seen = 0
        for loaded in load_images(files, framing_of(subject), batch=batch):
            skipped += map(str, loaded.skipped)
            converted.update(loaded.converted)
            images += [SurveyedImage(name=f.name, label=f.label, caption=f.caption) for f in loaded.files]
            if loaded.files:
                _run(subject, loaded, sites, rows)
            seen += len(loaded.files) + len(loaded.skipped)
            progress(seen / len(files), f"{seen:,} of {len(files):,} images")
        if len(images) < 2:
            first = f" The first: {skipped[0]}." if skipped else ""
            raise InputError(f"Only {len(images)} of {len(files)} images can be used.{first}", "Give more pictures.")
        about = About(
            subject=subject.card.name,
            subject_sha256=subject.card.weights_sha256,
            images=tuple(images),
            folder=str(folder.resolve()),
            skipped=tuple(skipped),
            converted=dict(sorted(converted.items())),
            sites=sites,
            classes=subject.classes,
        )
        for array in (rows.means, rows.peaks, rows.logits):
            array.flush()  # type: ignore[attr-defined]
        write_about(part, about)
    return read_table(out)


def _sites(subject: VisionSubject) -> tuple[SurveyedSite, ...]:
    found, start = [], 0
    for site in subject.unit_sites():
        width = subject.width(site)
        found.append(SurveyedSite(site=str(site), path=subject.describe(site), start=start, width=width))
        start += width
    return tuple(found)


def _open(folder: Path, count: int, width: int, classes: int) -> _Rows:
    def array(name: str, columns: int) -> np.ndarray:
        return open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.float32, shape=(count, columns))

    return _Rows(array("means", width), array("peaks", width), array("logits", classes))


def _run(subject: VisionSubject, loaded: Loaded, sites: tuple[SurveyedSite, ...], rows: _Rows) -> None:
    places = {site.site: slice(site.start, site.start + site.width) for site in sites}
    mine = slice(rows.filled, rows.filled + len(loaded.files))

    def collect(site: Site, x: torch.Tensor) -> None:
        rows.means[mine, places[str(site)]] = x.mean(1).float().cpu().numpy()
        rows.peaks[mine, places[str(site)]] = x.amax(1).float().cpu().numpy()

    images = subject.prepare(torch.from_numpy(loaded.pixels)).contiguous(memory_format=torch.channels_last)
    logits = subject.logits(images, collect={Site.parse(site.site): collect for site in sites})
    rows.logits[mine] = logits.float().cpu().numpy()
    rows.filled = mine.stop
