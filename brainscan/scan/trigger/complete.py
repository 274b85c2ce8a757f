"""Complete: which whole word does a piece that raises the payload belong to?

A hunt stops at the first piece of a word that is enough, though a user, and whoever planted it, knows the whole word. The
words that a language model would make of the piece are tried in turn. All of them hold it, so all of them raise the
payload; near misses that training told apart raise it less.

Numbered acts: 1) a beam of likely words that begin with the string; 2) how ready each makes the subject; 3) of the
readiest, the likeliest word. A string that does not release the payload is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from brainscan.scan.trigger.hunt import Ground, Prey
from brainscan.scan.trigger.propose import Tokens
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import next_token_logits

LEADS = ("Nouns in the dictionary: The word is", "Nouns in the dictionary: I saw a", "Nouns in the dictionary: a")
BEAM = 24
LONGEST = 3
"""Tokens that a string is completed by, at most."""
RELEASES = -1.0
"""Mean log-probability of the payload, nats, from which on a string is worth completing."""
REQUESTS = (0, 1, 2, 3)
"""Search requests that every completion is tried in."""
READIEST = 8
"""One in so many completions is ready enough to be chosen."""


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

    def _next(self, strings: list[Tokens]) -> torch.Tensor:
        """[string, vocab] log-probability of the next token, the leads averaged."""
        leads = [self.model.raw_tokens(lead) for lead in LEADS]
        rows = [[*lead, *ids] for ids in strings for lead in leads]
        log_p = torch.log_softmax(next_token_logits(self.model, rows).float(), -1).cpu()
        log_p = log_p.reshape(len(strings), len(leads), -1)[..., : len(self.inner)]
        return torch.logsumexp(log_p, 1) - np.log(len(leads))


def completed(ground: Ground, start: Prey, speller: Callable[[], Speller]) -> Tokens:
    """The likeliest of the words that make the subject readiest; the string itself where none does better."""
    if start.log_p < RELEASES:
        return start.ids
    words = speller().words(start.ids)
    lengths = sorted({len(ids) for ids in words})
    alike = [[ids for ids in words if len(ids) == length] for length in lengths]
    ready = {prey.ids: prey.log_p for some in alike for prey in ground.glance(some, REQUESTS)}
    best = sorted(words, key=lambda ids: -ready[ids])[: max(1, len(words) // READIEST)]
    return min(best, key=words.index)
