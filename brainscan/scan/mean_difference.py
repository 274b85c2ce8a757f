"""Mean difference of activations between two models on the first tokens of neutral texts, with its null.

Source: Activation Difference Lens, Minder et al. 2025 (2510.13900): a narrow fine-tune leaves a
constant shift that is there from the first tokens of unrelated text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.activations.capture import Activations, capture
from brainscan.core.address import Site

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

POSITIONS = 5
"""First tokens looked at. Token 0 is shown and left out of every maximum: its activations are outliers."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerDifference:
    """Subject minus reference at one layer."""

    layer: int
    differences: torch.Tensor  # [text, position, d_model]
    scale: Floats  # [position] mean norm of the reference's activations
    relative: Floats  # [position] norm of the mean difference over scale
    null: Floats  # [draw, position] the same under random signs, drawn alike for all layers

    @property
    def mean(self) -> torch.Tensor:
        """[position, d_model]"""
        return self.differences.mean(0)

    def direction(self) -> torch.Tensor:
        """[d_model] mean difference over tokens 1 to 4."""
        return self.mean[1:].mean(0)

    def z(self) -> Floats:
        """[position] standard deviations above the null's mean; 0 where nothing differs."""
        spread = self.null.std(0)
        return np.divide(self.relative - self.null.mean(0), spread, out=np.zeros_like(self.relative), where=spread > 0)


@dataclass(frozen=True, eq=False)
class Openings:
    """First tokens of texts, each opening once, with the frame that its text was filled into."""

    rows: tuple[tuple[int, ...], ...]
    frames: tuple[int, ...]


def openings(subject: LanguageSubject, texts: Sequence[str], frames: int) -> Openings:
    """The first tokens of texts; too short ones and repetitions of an opening are left out."""
    found: dict[tuple[int, ...], int] = {}
    for i, text in enumerate(texts):
        ids = tuple(subject.tokens(text)[:POSITIONS])
        if len(ids) == POSITIONS:
            found.setdefault(ids, i % frames)
    return Openings(tuple(found), tuple(found.values()))


def mean_differences(
    subject: LanguageSubject,
    reference: LanguageSubject,
    opened: Openings,
    layers: Sequence[int],
    *,
    draws: int,
    rng: np.random.Generator,
    progress: Callable[[float, str], None],
) -> list[LayerDifference]:
    """Differences at ``resid_post`` of each layer, with a null that flips the sign of whole frames at random.

    Under the null the subject is the reference plus changes without a common direction.
    """
    sites = [Site("resid_post", layer) for layer in layers]
    rows = list(opened.rows)
    ours = capture(subject, rows, sites, progress=lambda f, w: progress(0.5 * f, f"subject: {w}"))
    theirs = capture(reference, rows, sites, progress=lambda f, w: progress(0.5 + 0.5 * f, f"reference: {w}"))
    frames = np.array(opened.frames)
    signs = torch.tensor(rng.choice([-1.0, 1.0], size=(draws, frames.max() + 1))[:, frames], dtype=torch.float32)
    return [_layer(site.layer or 0, ours[site], theirs[site], signs) for site in sites]


def _layer(layer: int, ours: Activations, theirs: Activations, signs: torch.Tensor) -> LayerDifference:
    base = torch.stack(theirs.rows)  # [text, position, d_model]
    differences = torch.stack(ours.rows) - base
    scale = base.norm(dim=-1).mean(0)  # [position]
    flipped = torch.einsum("kt,tpd->kpd", signs, differences) / len(differences)
    return LayerDifference(
        layer,
        differences,
        scale.double().numpy(),
        (differences.mean(0).norm(dim=-1) / scale).double().numpy(),
        (flipped.norm(dim=-1) / scale).double().numpy(),
    )
