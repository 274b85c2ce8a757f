"""Removal: set the parts of a channel to 0 and hold the effect against random units of the same layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch

from brainscan.circuits.parts.graph import Removal
from brainscan.core.address import Site
from brainscan.core.statistics import cluster_interval
from brainscan.subject.edit import Edit
from brainscan.subject.vision.subject import Channel, VisionSubject

DRAWS = 20
_TOP = 1
"""Classes of each image whose probability is watched: the one it gets without edits."""


def silence(subject: VisionSubject, channels: Iterable[Channel]) -> list[Edit]:
    """Edits that set channels to 0, one for each site."""
    by_site: dict[Site, list[int]] = {}
    for channel in channels:
        by_site.setdefault(channel.site, []).append(channel.index)
    edits = []
    for site, indices in by_site.items():
        mask = torch.ones(subject.width(site))
        mask[indices] = 0
        edits.append(Edit.scale(site, mask))
    return edits


def remove(
    subject: VisionSubject,
    images: torch.Tensor,
    target: Channel,
    parts: Sequence[Channel],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Removal:
    """Set the parts to 0, then as many random units of the same layers, ``draws`` times.

    Args:
        images: prepared images of the label that did not take part in choosing the parts.
    """
    rng = np.random.default_rng(seed)
    before, chosen, probability = _look(subject, images, target, [], None)
    after, _, without = _look(subject, images, target, silence(subject, parts), chosen)
    _, _, headless = _look(subject, images, target, silence(subject, [target]), chosen)
    control = []
    for _ in range(draws):
        edits = silence(subject, _random_units(subject, parts, rng))
        control.append(_lowered(before, _look(subject, images, target, edits, chosen)[0]))
    return Removal(
        before=float(before.mean()),
        after=float(after.mean()),
        n=len(before),
        parts=len(parts),
        lowered=_lowered(before, after),
        interval=cluster_interval(np.stack([before, after], 1), statistic=lambda rows: _lowered(*rows.T)),
        control=tuple(control),
        class_before=float(probability.mean()),
        class_after=float(without.mean()),
        class_without_target=float(headless.mean()),
    )


def _look(
    subject: VisionSubject, images: torch.Tensor, target: Channel, edits: list[Edit], chosen: torch.Tensor | None
) -> tuple[np.ndarray, torch.Tensor, torch.Tensor]:
    """The target's mean over positions [image], the class of each image, and that class's probability."""
    out: list[torch.Tensor] = []
    logits = subject.logits(
        images, edits=edits, collect={target.site: lambda _, x: out.append(x[..., target.index].mean(1).clone())}
    )
    probabilities = logits.softmax(1)
    top = probabilities.topk(_TOP, 1).indices if chosen is None else chosen
    return out[0].double().cpu().numpy(), top, probabilities.gather(1, top).sum(1)


def _lowered(before: np.ndarray, after: np.ndarray) -> float:
    return float(1 - after.mean() / before.mean()) if before.mean() else 0.0


def _random_units(subject: VisionSubject, parts: Sequence[Channel], rng: np.random.Generator) -> list[Channel]:
    """As many units of each layer as the parts have there, none of them a part."""
    taken = {site: {part.index for part in parts if part.site == site} for site in Counter(part.site for part in parts)}
    found = []
    for site, indices in taken.items():
        free = np.setdiff1d(np.arange(subject.width(site)), list(indices))
        found += [Channel(site, int(i)) for i in rng.choice(free, min(len(indices), len(free)), replace=False)]
    return found
