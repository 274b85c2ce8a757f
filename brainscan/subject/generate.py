"""Batched generation with a key-value cache, with edits live in every step.

Numbered acts: 1) prefill the prompts once, left-padded; 2) choose a token a row; 3) stop rows that
ended; 4) push the chosen tokens through the cache and go to 2. Two subjects can be run in step, so
that logits can be combined (``mix``), as logit-difference amplification needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from brainscan.subject.edit import Edit, Layout
from brainscan.subject.language import Batch, LanguageSubject, cache_of

Mix = Callable[[list[torch.Tensor]], torch.Tensor]
"""Logits [batch, vocab] of each subject, the first being the one that speaks -> logits to sample from."""


@dataclass(frozen=True)
class Decoding:
    """How tokens are chosen."""

    max_new: int = 32
    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    seed: int = 0
    stop_at_end: bool = True
    """Stop a row at the tokenizer's end token; False goes on to ``max_new``."""
    rows: int = 32
    """Rows run together; more is faster until memory is short."""


@dataclass(frozen=True)
class Generated:
    """One answer."""

    ids: tuple[int, ...]
    """New tokens, the end token left out."""
    text: str
    entropies: tuple[float, ...]
    """Entropy in nats of the distribution behind each new token: near 0 is certain."""
    ended: bool
    """The model ended by itself before ``max_new``."""


def generate(
    subject: LanguageSubject,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding = Decoding(),
    *,
    edits: Sequence[Edit] = (),
    beside: Sequence[LanguageSubject] = (),
    mix: Mix | None = None,
    keys: Sequence[int] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> list[Generated]:
    """Continue each prompt. Same prompts, seed and machine: same answers.

    Args:
        subject: who speaks.
        prompts: token ids, any lengths; returned in the same order.
        decoding: how tokens are chosen.
        edits: changes in ``subject`` while it speaks, in the prompt and in every new token.
        beside: further subjects of the same vocabulary, run in step and unedited.
        mix: combines the logits of ``subject`` and ``beside``; the first alone when left out.
        keys: draws of each prompt come from the seed and its key, so that an answer does not depend on what else
            is asked; the prompt's place in the list when left out.
        progress: called with the fraction done.

    Raises:
        InputError: a prompt is empty or too long.
    """
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    out: list[Generated | None] = [None] * len(prompts)
    for start in range(0, len(order), decoding.rows):
        rows = order[start : start + decoding.rows]
        run = _Run(subject, beside, mix, decoding, edits)
        answers = run.go([subject.fits(prompts[i]) for i in rows], [keys[i] for i in rows] if keys else rows)
        for i, answer in zip(rows, answers, strict=True):
            out[i] = answer
        if progress:
            progress((start + len(rows)) / len(order), f"{start + len(rows)} of {len(order)} answers")
    return [answer for answer in out if answer is not None]


class _Run:
    """One padded batch through its acts."""

    def __init__(
        self,
        subject: LanguageSubject,
        beside: Sequence[LanguageSubject],
        mix: Mix | None,
        decoding: Decoding,
        edits: Sequence[Edit],
    ) -> None:
        self.subjects = [subject, *beside]
        self.mix = mix or (lambda logits: logits[0])
        self.decoding = decoding
        self.edits: list[Sequence[Edit]] = [edits, *[()] * len(beside)]
        self.caches: list[Any] = [None] * len(self.subjects)
        self.ends = end_tokens(subject) if decoding.stop_at_end else frozenset()

    def go(self, prompts: list[list[int]], keys: Sequence[int]) -> list[Generated]:
        batch = self.subjects[0].batch(prompts, side="left")
        draws = [np.random.default_rng([self.decoding.seed, key]) for key in keys]
        new: list[list[int]] = [[] for _ in prompts]
        entropies: list[list[float]] = [[] for _ in prompts]
        live = [True] * len(prompts)
        step = batch
        for _ in range(self.decoding.max_new):
            logits = self._push(step, batch.lengths)
            chosen, entropy = choose(logits, draws, self.decoding)
            for i, token in enumerate(chosen):
                live[i] = live[i] and token not in self.ends
                if live[i]:
                    new[i].append(token)
                    entropies[i].append(entropy[i])
            if not any(live):
                break
            step = next_step(step, chosen)
        return [
            Generated(tuple(ids), self.subjects[0].text(ids), tuple(h), not alive)
            for ids, h, alive in zip(new, entropies, live, strict=True)
        ]

    def _push(self, step: Batch, lengths: torch.Tensor) -> torch.Tensor:
        logits = []
        layout = Layout(step.positions, lengths)
        for i, subject in enumerate(self.subjects):
            out = subject.step(step, layout, self.caches[i], self.edits[i])
            self.caches[i] = cache_of(out)
            logits.append(out.logits[:, -1].float())
        return self.mix(logits)


def choose(
    logits: torch.Tensor, draws: Sequence[np.random.Generator], decoding: Decoding
) -> tuple[list[int], list[float]]:
    """One token a row of logits [batch, vocab], and the entropy in nats of the distribution behind it."""
    log_p = torch.log_softmax(logits, -1)
    entropy = (log_p.exp() * -log_p.clamp(min=-1e4)).sum(-1).tolist()
    if decoding.temperature <= 0:
        return logits.argmax(-1).tolist(), entropy
    p = torch.softmax(logits / decoding.temperature, -1)
    ranked, index = p.sort(descending=True)  # [batch, vocab]
    kept = ranked * ((ranked.cumsum(-1) - ranked) < decoding.top_p)
    cumulative = (kept / kept.sum(-1, keepdim=True)).cumsum(-1)
    uniform = torch.tensor([[draw.random()] for draw in draws], device=p.device, dtype=cumulative.dtype)
    pick = torch.searchsorted(cumulative, uniform).clamp(max=p.shape[-1] - 1)
    return index.gather(1, pick)[:, 0].tolist(), entropy


def next_step(step: Batch, chosen: Sequence[int]) -> Batch:
    """The batch that pushes one chosen token a row after what the cache holds."""
    ids = torch.tensor(list(chosen), device=step.ids.device)[:, None]
    mask = torch.cat([step.mask, torch.ones_like(ids)], 1)
    return Batch(ids, mask, step.positions[:, -1:] + 1, step.lengths)


def end_tokens(subject: LanguageSubject) -> frozenset[int]:
    """Tokens after which the subject has nothing more to say."""
    configured = getattr(subject.model.generation_config, "eos_token_id", None)
    ids = configured if isinstance(configured, list) else [configured]
    return frozenset(int(i) for i in (*ids, subject.tokenizer.eos_token_id) if i is not None)
