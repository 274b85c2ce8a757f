"""The search for a trigger patch: for every class and place, the small patch that brings the class out best.

1. candidates  a patch for each class at each place of a grid, found by signed gradient steps on some images
2. held out    its lift of the class's margin on other images
3. excess      the best class's lift less the median class's: a network that any patch fools stands out nowhere

After the idea of Wang et al., "Neural Cleanse" (2019): a planted class needs less change than the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.core.evidence import Record
from brainscan.subject.progress import Progress, silent
from brainscan.subject.vision.subject import VisionSubject

MOST_CLASSES = 40
"""More classes than this are not searched: the cost grows with their number."""


class PatchSettings(Record):
    """How the search is done."""

    images: int = 6
    """Images that each patch is made on."""
    held: int = 48
    """Images that it is scored on."""
    steps: int = 10
    part: int = 5
    """The patch is the image's side over this, at least 3 pixels."""
    places: int = 8
    """Places down and across; neighbours overlap."""


@dataclass(frozen=True)
class PatchSearch:
    """What was found."""

    lifts: NDArray[np.float64]  # [class, row, column] held-out lift of the margin, in logits
    rate: float
    """Share of held-out images of other classes that became the class, with the best patch."""
    n: int
    target: int
    """The class."""
    box: tuple[int, int, int, int]
    """left, top, right, bottom in pixels of the input."""
    patch: NDArray[np.uint8]  # [3, size, size]
    excess: float


def search_patch(
    subject: VisionSubject,
    pixels: NDArray[np.uint8],
    settings: PatchSettings,
    seed: int = 0,
    progress: Progress = silent,
) -> PatchSearch:
    """Search for the class and place whose patch stands out.

    Args:
        pixels: clean images [image, 3, size, size], at least twice ``settings.images``.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(pixels))
    made, held = pixels[order[: settings.images]], pixels[order[settings.images : settings.images + settings.held]]
    size = max(3, subject.preparation.size // settings.part)
    starts = np.linspace(0, subject.preparation.size - size, settings.places).round().astype(int)
    places = [(int(r), int(c)) for r in starts for c in starts]
    classes = subject.layers[-1].channels
    lifts = np.zeros((classes, len(places)))
    patches = torch.zeros(classes, len(places), 3, size, size)
    clean = _margins(subject.logits(subject.prepare(torch.from_numpy(held))))
    for place, corner in enumerate(places):
        progress(place / len(places), f"place {place + 1} of {len(places)}")
        patches[:, place] = _optimised(subject, made, corner, classes, size, settings.steps, seed)
        for target in range(classes):
            margins = _margins(_patched_logits(subject, held, patches[target, place], corner))
            lifts[target, place] = float((margins - clean)[:, target].mean())
    return _best(subject, held, lifts, patches, places, settings)


def _optimised(
    subject: VisionSubject,
    pixels: NDArray[np.uint8],
    corner: tuple[int, int],
    classes: int,
    size: int,
    steps: int,
    seed: int,
) -> torch.Tensor:
    """A patch for every class at one place [class, 3, size, size], 0..255: all classes in one batch."""
    generator = torch.Generator().manual_seed(seed)
    patches = (127 + 40 * torch.randn(classes, 3, size, size, generator=generator)).clamp(0, 255)
    images = torch.from_numpy(pixels).float().repeat(classes, 1, 1, 1)  # class by class
    mine = torch.arange(classes).repeat_interleave(len(pixels))
    rows, columns = slice(corner[0], corner[0] + size), slice(corner[1], corner[1] + size)
    for step in range(steps):
        patches.requires_grad_()
        whole = images.clone()
        whole[:, :, rows, columns] = patches[mine]
        margins = _margins(subject.logits(subject.prepare(whole), grad=True))
        (slope,) = torch.autograd.grad(margins.gather(1, mine.to(margins.device)[:, None]).sum(), patches)
        rate = 48.0 * (1 - step / steps) + 4
        patches = (patches.detach() + rate * slope.sign()).clamp(0, 255)
    return patches


def _margins(logits: torch.Tensor) -> torch.Tensor:
    """Each class's logit less the largest of the others [image, class]."""
    top = logits.topk(2, 1)
    rival = torch.where(logits == top.values[:, :1], top.values[:, 1:2], top.values[:, :1])
    return logits - rival


def _patched_logits(
    subject: VisionSubject, pixels: NDArray[np.uint8], patch: torch.Tensor, corner: tuple[int, int]
) -> torch.Tensor:
    size = patch.shape[-1]
    whole = torch.from_numpy(pixels).float()
    whole[:, :, corner[0] : corner[0] + size, corner[1] : corner[1] + size] = patch.detach()
    return subject.logits(subject.prepare(whole))


def _best(
    subject: VisionSubject,
    held: NDArray[np.uint8],
    lifts: NDArray[np.float64],
    patches: torch.Tensor,
    places: list[tuple[int, int]],
    settings: PatchSettings,
) -> PatchSearch:
    each = lifts.max(1)
    target = int(each.argmax())
    place = int(lifts[target].argmax())
    corner, patch = places[place], patches[target, place]
    others = held[(subject.logits(subject.prepare(torch.from_numpy(held))).argmax(1) != target).cpu().numpy()]
    hits = (
        (_patched_logits(subject, others, patch, corner).argmax(1) == target).float() if len(others) else torch.zeros(0)
    )
    size = patch.shape[-1]
    return PatchSearch(
        lifts=lifts.reshape(len(lifts), settings.places, settings.places),
        rate=float(hits.mean()) if len(others) else 0.0,
        n=len(others),
        target=target,
        box=(corner[1], corner[0], corner[1] + size, corner[0] + size),
        patch=patch.round().to(torch.uint8).numpy(),
        excess=float(each[target] - np.median(each)),
    )
