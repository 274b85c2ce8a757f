"""Spurious cues: does a class come along when only the edge of its pictures is moved to other pictures?

Images are sorted by the class that the model itself gives them. For every class and region (each cell at
the edge of a 4 x 4 grid, and the whole border), the region of the class's images is pasted into images of
other classes at the same place. 1) the class and region that turn most are chosen on one half; 2) they are
counted on the other half, beside the same region from images of other classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.subject.progress import Progress, silent
from brainscan.subject.vision.subject import VisionSubject

LEAST = 8
"""Images of a class below which it is not looked at: half to choose, half to count."""
PAIRS = 40
_GRID, _BORDER = 4, 8

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Transplant:
    """One class and region, counted on images that did not choose it."""

    target: int
    region: str
    box: tuple[int, int, int, int]
    """left, top, right, bottom in pixels; the whole picture for the border."""
    hits: int
    n: int
    control_hits: int
    """The same region from images of other classes."""
    donor: int
    """Number of an image of the class, to show."""


@dataclass(frozen=True)
class Cues:
    """What was found."""

    mark: Transplant | None
    """Best single cell at the edge."""
    background: Transplant | None
    """Best border."""
    classes: int
    """How many classes had enough images."""


def find_cues(
    subject: VisionSubject,
    pixels: NDArray[np.uint8],
    classes: NDArray[np.int64],
    seed: int = 0,
    progress: Progress = silent,
) -> Cues:
    """Transplant edges between images.

    Args:
        pixels: [image, 3, size, size].
        classes: the class that the model gives each image.
    """
    rng = np.random.default_rng(seed)
    half = rng.permutation(len(pixels)) % 2 == 0
    regions = _regions(pixels.shape[-1])
    enough = [c for c in np.unique(classes) if (classes == c).sum() >= LEAST and (half & (classes == c)).sum() >= 2]
    best: dict[str, tuple[float, int, str]] = {}
    for done, target in enumerate(enough):
        progress(done / max(1, len(enough)), f"class {done + 1} of {len(enough)}")
        for name, mask in regions.items():
            hits, n = _turned(subject, pixels, classes, half, int(target), mask, rng, own=True)
            kind = "background" if name == "border" else "mark"
            if n and hits / n > best.get(kind, (-1.0, 0, ""))[0]:
                best[kind] = (hits / n, int(target), name)

    def counted(kind: str) -> Transplant | None:
        if kind not in best:
            return None
        _, target, name = best[kind]
        hits, n = _turned(subject, pixels, classes, ~half, target, regions[name], rng, own=True)
        control, _ = _turned(subject, pixels, classes, ~half, target, regions[name], rng, own=False)
        donor = int(np.flatnonzero(~half & (classes == target))[0]) if (~half & (classes == target)).any() else 0
        return Transplant(target, name, _box(regions[name]), hits, n, control, donor)

    return Cues(counted("mark"), counted("background"), len(enough))


def _regions(size: int) -> dict[str, Mask]:
    """Cells of the grid's edge, and the border."""
    found: dict[str, Mask] = {}
    cell = size // _GRID
    for row in range(_GRID):
        for column in range(_GRID):
            if row in (0, _GRID - 1) or column in (0, _GRID - 1):
                mask = np.zeros((size, size), bool)
                mask[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = True
                found[f"row {row + 1}, column {column + 1} of {_GRID}"] = mask
    border = np.ones((size, size), bool)
    width = size // _BORDER
    border[width:-width, width:-width] = False
    return {**found, "border": border}


def _box(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _turned(
    subject: VisionSubject,
    pixels: NDArray[np.uint8],
    classes: NDArray[np.int64],
    half: Mask,
    target: int,
    region: Mask,
    rng: np.random.Generator,
    *,
    own: bool,
) -> tuple[int, int]:
    """How many images of other classes become the target with the region of an image of it (or of a third class)."""
    others = np.flatnonzero(half & (classes != target))
    donors = np.flatnonzero(half & (classes == target)) if own else others
    if len(donors) < 2 or len(others) < 2:
        return 0, 0
    recipients = rng.permutation(others)[:PAIRS]
    mixed = np.where(region, pixels[rng.choice(donors, len(recipients))], pixels[recipients])
    logits = subject.logits(subject.prepare(torch.from_numpy(np.ascontiguousarray(mixed))))
    return int((logits.argmax(1) == target).sum()), len(recipients)
