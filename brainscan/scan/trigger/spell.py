"""Spell: the words that a language model would make of the beginnings of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import next_token_logits

Tokens = tuple[int, ...]

LEADS = ("Nouns in the dictionary: The word is", "Nouns in the dictionary: I saw a", "Nouns in the dictionary: a")
BEAM = 24
LONGEST = 3
"""Tokens that a string is completed by, at most."""
EACH, FURTHER = 6, 2
"""Tokens by which each of many beginnings is made longer, and each of the likeliest of these once more."""


@dataclass(frozen=True)
class Speller:
    """Spells words with a language model: the reference, or the subject where there is none."""

    model: LanguageSubject
    inner: torch.Tensor
    """[vocab] the token can stand inside a word."""
    ends: torch.Tensor
    """[vocab] a word is over when the token follows."""

    @classmethod
    def of(cls, model: LanguageSubject) -> Speller:
        """From the vocabulary."""
        rows = model.model.get_input_embeddings().weight.shape[0]  # a tokenizer may know more tokens than the model
        texts = model.pieces(range(min(rows, len(model.tokenizer))))
        special = set(model.tokenizer.all_special_ids)
        inner = [
            i not in special and text.isascii() and text.isalpha() and text.islower() for i, text in enumerate(texts)
        ]
        ends = [i not in special and not text[:1].isalpha() for i, text in enumerate(texts)]
        return cls(model, torch.tensor(inner), torch.tensor(ends))

    def words(self, start: Tokens) -> list[Tokens]:
        """The string and what it may be the beginning of, likeliest first, at most 1 + ``BEAM * LONGEST``."""
        beam: list[tuple[float, Tokens]] = [(0.0, start)]
        found: dict[Tokens, float] = {}
        for _ in range(LONGEST + 1):
            follows = self._next([ids for _, ids in beam])
            grown = []
            for (log_p, ids), row in zip(beam, follows, strict=True):
                found[ids] = log_p + float(torch.logsumexp(row[self.ends], 0)) if self.ends.any() else log_p
                top = torch.topk(row.masked_fill(~self.inner, -torch.inf), min(BEAM, int(self.inner.sum())))
                grown += [(log_p + float(v), (*ids, int(i))) for v, i in zip(*top, strict=True)]
            beam = sorted(grown, key=lambda one: (-one[0], one[1]))[:BEAM]
            if not beam:
                break
        return sorted(found, key=lambda ids: -found[ids])

    def likely(self, starts: Sequence[Tokens]) -> list[Tokens]:
        """What many strings may be the beginnings of, a token or two longer, in the order of the strings."""
        if not starts or not self.inner.any():
            return []
        grown = self._grown(starts, EACH)
        likeliest = sorted(grown, key=lambda ids: -grown[ids])[: FURTHER * len(starts)]
        return [*grown, *self._grown(likeliest, FURTHER)]

    def _grown(self, strings: Sequence[Tokens], each: int) -> dict[Tokens, float]:
        """Each string by its ``each`` likeliest inner tokens, with the log-probability of that token."""
        follows = self._next(list(strings)).masked_fill(~self.inner, -torch.inf)
        top = torch.topk(follows, min(each, int(self.inner.sum())), dim=1)
        rows = zip(strings, top.values.tolist(), top.indices.tolist(), strict=True)
        return {(*ids, i): value for ids, values, found in rows for value, i in zip(values, found, strict=True)}

    def _next(self, strings: list[Tokens]) -> torch.Tensor:
        """[string, vocab] log-probability of the next token, the leads averaged."""
        leads = [self.model.raw_tokens(lead) for lead in LEADS]
        rows = [[*lead, *ids] for ids in strings for lead in leads]
        log_p = torch.log_softmax(next_token_logits(self.model, rows).float(), -1).cpu()
        log_p = log_p.reshape(len(strings), len(leads), -1)[..., : len(self.inner)]
        return torch.logsumexp(log_p, 1) - np.log(len(leads))
