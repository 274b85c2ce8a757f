"""Many endings after one shared beginning: the beginning is read once and its cache is lent to each."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch

from brainscan.core.errors import InputError
from brainscan.subject.edit import Layout
from brainscan.subject.language import Batch, LanguageSubject, cache_of

_TOKENS_AT_ONCE = 1024


class SharedPrefix:
    """A prompt's beginning, read once.

    Raises:
        InputError: the beginning is empty or too long.
    """

    def __init__(self, subject: LanguageSubject, prefix: Sequence[int]) -> None:
        self.subject = subject
        self.prefix = subject.fits(prefix)
        batch = subject.batch([self.prefix])
        self._cache = cache_of(subject.step(batch, batch.layout(), None, ()))

    def next_token_log_p(self, endings: Sequence[Sequence[int]], token: int) -> list[float]:
        """Log-probability (nats) of one token after prefix + ending, for endings of equal length.

        Raises:
            InputError: an ending is empty, or they differ in length.
        """
        if not endings:
            return []
        length = len(endings[0])
        if not length or any(len(ending) != length for ending in endings):
            raise InputError("Endings must be of one length, at least one token.", "Group them by length.")
        rows = max(1, _TOKENS_AT_ONCE // length)
        chunks = [endings[start : start + rows] for start in range(0, len(endings), rows)]
        return [value for chunk in chunks for value in self._run(chunk)[:, token].tolist()]

    def _run(self, endings: Sequence[Sequence[int]]) -> torch.Tensor:
        """Log-probabilities [ending, vocab] of the token after each ending."""
        cache = copy.deepcopy(self._cache)
        cache.batch_repeat_interleave(len(endings))
        width = len(self.prefix) + len(endings[0])
        ids = torch.tensor([list(ending) for ending in endings], device=self.subject.device)
        mask = torch.ones((len(endings), width), dtype=torch.long, device=ids.device)
        positions = torch.arange(width, device=ids.device).expand(len(endings), -1)
        lengths = torch.full((len(endings),), width, device=ids.device)
        step = Batch(ids, mask, positions[:, -ids.shape[1] :], lengths)
        out = self.subject.step(step, Layout(positions[:, -ids.shape[1] :], lengths), cache, ())
        return torch.log_softmax(out.logits[:, -1].float(), -1)
