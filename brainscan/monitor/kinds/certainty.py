"""How certain the model is of what it says: a memorised line is recited with hardly any doubt.

No arrays. The score is minus the mean entropy in nats over the answer so far, so 0 is complete certainty.
"""

from __future__ import annotations

import torch

from brainscan.monitor.reader import Seen
from brainscan.monitor.record import Arrays, Rule

LEAST_TOKENS = 4
"""Before these there is nothing to score: almost every answer begins with a token or two that were certain."""


class Certainty:
    """Minus the mean entropy of the answer's tokens so far."""

    def __init__(self, rule: Rule, arrays: Arrays) -> None:
        self.name = rule.name

    def score(self, seen: Seen) -> torch.Tensor:
        """[batch, pos]; only the last token of a pass that pushed an answer's token has a score."""
        out = torch.full(seen.positions.shape, -torch.inf)
        for row, entropies in enumerate(seen.entropies):
            if len(entropies) >= LEAST_TOKENS:
                out[row, -1] = -sum(entropies) / len(entropies)
        return out
