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
    probabilities: tuple[float, ...]
    """Softmax over the whole vocabulary, 0..1: how far the direction singles this token out."""
    entropy: float
    """Of that softmax, in nats: low is a direction that names few tokens, high is one that names none."""


def read_direction(subject: LanguageSubject, direction: torch.Tensor, top: int = 12) -> Words:
    """Read a direction [d_model] of any norm above 0.

    It is scaled to the root mean square 1 first, so that a small difference and a large one of the
    same direction read the same (nostalgebraist 2020; for differences Minder et al. 2025, 2510.13900).
    """
    with torch.no_grad():
        weight = subject.unembedding
        scaled = direction.float() / direction.float().square().mean().sqrt()
        normed = subject.final_norm(scaled.to(weight.device, weight.dtype)[None, None])[0, 0]
        log_p = torch.log_softmax((weight @ normed).float(), -1)
        p, index = log_p.exp().topk(min(top, log_p.shape[0]))
    return Words(
        tuple(subject.text([i], special=True) for i in index.tolist()),
        tuple(p.tolist()),
        float(-(log_p.exp() * log_p).sum()),
    )
