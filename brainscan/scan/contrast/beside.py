"""The reference's side of a contrast: how readable the concept is there, and where the subject moved from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brainscan.core.errors import PlanError
from brainscan.core.statistics import Floats
from brainscan.probes.mean_difference import MeanDifference
from brainscan.probes.validate import auroc_of, held_out_scores
from brainscan.scan.contrast.judge import labelled
from brainscan.scan.contrast.reading import Item, Progress, read_last, read_means
from brainscan.scan.contrast.shift import Shift, shift_along
from brainscan.scan.pair import same_shape

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Neutral:
    """Neutral requests as both models hold them, at the last token before the answer."""

    layers: tuple[int, ...]
    subject: Floats  # [request, layer, d]
    reference: Floats  # [request, layer, d]


@dataclass(frozen=True)
class Beside:
    """What the reference adds to one concept."""

    auroc: float
    """The reference's own, on the same items and folds."""
    shift: Shift | None
    """None where the two models' insides cannot be subtracted."""


def read_neutral(
    subject: LanguageSubject, reference: LanguageSubject, requests: Sequence[str], layers: Sequence[int]
) -> Neutral | None:
    """Both models on the same requests; None where depth or width differ."""
    try:
        same_shape(subject, reference)
    except PlanError:
        return None
    return Neutral(tuple(layers), read_last(subject, requests, layers), read_last(reference, requests, layers))


def look_beside(
    reference: LanguageSubject,
    items: Sequence[Item],
    neutral: Neutral | None,
    draws: int,
    rng: np.random.Generator,
    progress: Progress,
) -> Beside:
    """Read the concept on the reference, at the subject's layers or, in another architecture, its own."""
    layers = neutral.layers if neutral else reference.spread_layers()
    x = read_means(reference, items, layers, progress)
    data = labelled(items, x, ())
    auroc = auroc_of(held_out_scores(MeanDifference, data).mean(1), data.y)
    return Beside(auroc, shift_along(data, neutral.subject, neutral.reference, draws, rng) if neutral else None)
