"""Known words: a trigger or a planted line that a scan has found, in prompt or answer, letter for letter.

No arrays. The score is 1 from the token on that completes a phrase, 0 before.
"""

from __future__ import annotations

import torch

from brainscan.monitor.reader import Seen
from brainscan.monitor.record import Arrays, Rule


class Phrase:
    """1 where a phrase stands in the text so far."""

    def __init__(self, rule: Rule, arrays: Arrays) -> None:
        self.phrases = rule.phrases

    def score(self, seen: Seen) -> torch.Tensor:
        """[batch, pos]; the last token of a pass speaks for all of it."""
        out = torch.full(seen.positions.shape, -torch.inf)
        for row, text in enumerate(seen.texts):
            out[row, -1] = float(any(phrase in text for phrase in self.phrases))
        return out
