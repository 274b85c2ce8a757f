"""One forward pass behind every score of the search: how a subject would open its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.subject.language import LanguageSubject

Floats = NDArray[np.float64]
_ROWS = 32


@dataclass(frozen=True)
class Opened:
    """How prompts would be answered, seen through one fixed answer, the payload."""

    holds: NDArray[np.bool_]
    """[prompt] greedy decoding begins with the whole payload."""
    log_p: Floats
    """[prompt] log-probability of the payload, nats."""
    entropy: Floats
    """[prompt] of the first token of the answer, nats: near 0 is certain."""


def read_openings(subject: LanguageSubject, prompts: Sequence[Sequence[int]], payload: Sequence[int]) -> Opened:
    """Score the payload as the beginning of each prompt's answer, without generating."""
    keep = len(payload) + 1
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    holds, log_p, entropy = np.zeros(len(prompts), bool), np.zeros(len(prompts)), np.zeros(len(prompts))
    for start in range(0, len(order), _ROWS):
        chunk = order[start : start + _ROWS]
        batch = subject.batch([subject.fits([*prompts[i], *payload]) for i in chunk], side="left")
        scores = torch.log_softmax(subject.logits(batch, keep=keep)[:, :-1].float(), -1)  # [batch, payload, vocab]
        goal = torch.tensor(list(payload), device=scores.device).expand(len(chunk), -1)
        holds[chunk] = (scores.argmax(-1) == goal).all(-1).cpu().numpy()
        log_p[chunk] = scores.gather(2, goal[..., None])[..., 0].sum(-1).cpu().numpy()
        first = scores[:, 0]
        entropy[chunk] = (first.exp() * -first.clamp(min=-1e4)).sum(-1).cpu().numpy()
    return Opened(holds, log_p, entropy)
