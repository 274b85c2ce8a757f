"""Where the answer looks: the attention pattern behind a suspected trigger, as a scan image.

A backdoored model reads its trigger and little else when the answer begins; trigger tokens also read
each other (the "double triangle" of 2602.03085, section 5). It supports a suspect and never convicts:
any short, odd string draws some attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.subject.language import LanguageSubject

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gaze:
    """Attention of the place where the answer begins, on one prompt."""

    share: Floats
    """[layer, token] mean over heads; a row sums to 1."""
    inside: tuple[int, ...]
    """Indices of the string's tokens."""

    @property
    def on_string(self) -> float:
        """Share of attention on the string, mean over layers: 0 to 1."""
        return float(self.share[:, list(self.inside)].sum(1).mean()) if self.inside else 0.0


def gaze(subject: LanguageSubject, prompt: Sequence[int], without: Sequence[int]) -> Gaze:
    """Look at ``prompt``, which is ``without`` with a string put in; what both share is not the string."""
    layers = range(subject.n_layers)
    seen = capture(subject, [prompt], [Site("attn_probs", layer) for layer in layers])
    share = np.stack([seen[Site("attn_probs", layer)].rows[0][0, :, -1].mean(0).double().numpy() for layer in layers])
    head = _shared(prompt, without)
    tail = _shared(prompt[head:][::-1], without[head:][::-1])
    return Gaze(share, tuple(range(head, len(prompt) - tail)))


def offered(subject: LanguageSubject) -> bool:
    """Whether this subject shows its attention patterns."""
    return "attn_probs" in subject.points()


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    """How many leading tokens are the same."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
