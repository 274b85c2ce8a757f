"""Logit lens: a direction of the residual stream, read as the words that it would raise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Words:
    """What a direction says through the final norm and the output matrix."""

    tokens: tuple[str, ...]
    """Most raised first."""
    scores: tuple[float, ...]
    """Cosine with each token's row of the output matrix, in standard deviations over the vocabulary.

    The best of 50 thousand tokens reaches about 4 on a random direction; 8 is a direction that names its token.
    """


def read_direction(subject: LanguageSubject, direction: torch.Tensor, top: int = 12) -> Words:
    """Read a direction [d_model] of any norm above 0.

    It is scaled to the root mean square 1 first, so that a small difference and a large one of the
    same direction read alike. Cosines and not logits, because tokens that training hardly saw have
    long rows and lead every list of logits in a small model.
    Source: logit lens, nostalgebraist 2020; of differences, Minder et al. 2025 (2510.13900).
    """
    with torch.no_grad():
        weight = subject.unembedding
        scaled = direction.float() / direction.float().square().mean().sqrt()
        normed = subject.final_norm(scaled.to(weight.device, weight.dtype)[None, None])[0, 0]
        cosines = (weight @ normed).float() / weight.float().norm(dim=1).clamp(min=1e-6)
        values, index = ((cosines - cosines.mean()) / cosines.std()).topk(min(top, len(cosines)))
    return Words(tuple(subject.text([i], special=True) for i in index.tolist()), tuple(values.tolist()))
