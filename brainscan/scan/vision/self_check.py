"""The numerical self-check of a vision model: does it compute the same thing however it is asked?

Four checks, each with a stated tolerance: 1) writing captured activations back changes nothing; 2) a
batch equals single images; 3) an edit that changes nothing changes nothing; 4) an edit of every channel
arrives: what is captured after it is what was written.
"""

from __future__ import annotations

import math

import torch

from brainscan.core.address import Site
from brainscan.scan.record import Check
from brainscan.subject.edit import Edit
from brainscan.subject.progress import Progress, silent
from brainscan.subject.vision.subject import VisionSubject

TOLERANCE = 2e-3
"""Largest logit difference allowed: the same sums in another order, never another sum."""
_IMAGES = 3


def self_check_vision(subject: VisionSubject, progress: Progress = silent) -> tuple[Check, ...]:
    """Run the four checks on seeded noise. Never raises for a failed check: the record says so."""
    images = torch.randn(_IMAGES, *subject.blank(1).shape[1:], generator=torch.Generator().manual_seed(0)).to(
        subject.device
    )
    checks = []
    for i, check in enumerate((_written_back, _batched, _unchanged, _arrives)):
        progress(i / 4, f"self-check: {check.__name__.strip('_').replace('_', ' ')}")
        checks.append(check(subject, images))
    return tuple(checks)


def _spread(subject: VisionSubject) -> list[Site]:
    sites = subject.unit_sites()
    return sorted({sites[round(i * (len(sites) - 1) / 4)] for i in range(5)}, key=subject.forward_order)


def _written_back(subject: VisionSubject, images: torch.Tensor) -> Check:
    sites, kept = _spread(subject), dict[Site, torch.Tensor]()
    subject.inspect(images, {site: lambda s, x: kept.update({s: x.clone()}) for site in sites})
    again = subject.logits(images, edits=[Edit.patch(site, kept[site]) for site in sites])
    worst = float((again - subject.logits(images)).abs().max())
    return _check(
        "captured activations, written back, change nothing", f"the same logits with {len(sites)} sites written", worst
    )


def _batched(subject: VisionSubject, images: torch.Tensor) -> Check:
    together = subject.logits(images)
    alone = torch.cat([subject.logits(image[None]) for image in images])
    return _check("a batch equals single images", "the same logits", float((together - alone).abs().max()))


def _unchanged(subject: VisionSubject, images: torch.Tensor) -> Check:
    edits = [Edit.scale(site, 1.0) for site in _spread(subject)]
    worst = float((subject.logits(images, edits=edits) - subject.logits(images)).abs().max())
    return _check(
        "a no-op edit changes nothing", f"identical logits with {len(edits)} edits that multiply by 1", worst, 0.0
    )


def _arrives(subject: VisionSubject, images: torch.Tensor) -> Check:
    worst = 0.0
    for site in _spread(subject):
        kept: list[torch.Tensor] = []
        value = torch.linspace(0.1, 1.0, subject.width(site), device=images.device)
        subject.inspect(images, {site: lambda _, x, kept=kept: kept.append(x.clone())}, [Edit.set(site, value)])
        worst = max(worst, float((kept[0] - value).abs().max()))
    return _check("an edit arrives", "what is captured after an edit is what was written", worst, 0.0)


def _check(name: str, expected: str, error: float, tolerance: float = TOLERANCE) -> Check:
    found = error if math.isfinite(error) else 1e30
    return Check(
        name=name,
        expected=expected,
        found=f"largest difference {found:.1e}",
        error=found,
        tolerance=tolerance,
        passed=found <= tolerance,
    )
