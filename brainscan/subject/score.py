"""Log-probabilities of given continuations: cheaper and steadier than generating."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from brainscan.core.errors import InputError
from brainscan.subject.edit import Edit
from brainscan.subject.language import LanguageSubject


def log_probabilities(
    subject: LanguageSubject,
    prompts: Sequence[Sequence[int]],
    continuations: Sequence[Sequence[int]],
    *,
    edits: Sequence[Edit] = (),
    rows: int = 32,
    progress: Callable[[float, str], None] | None = None,
) -> list[float]:
    """Sum of log p of each continuation after its prompt, in nats (0 is certain, lower is less likely).

    Args:
        prompts: token ids, one row per continuation.
        continuations: token ids, at least one each; compare only equal lengths or divide by length.
        edits: changes in the subject while it reads; values must be shared by all rows.
        rows: rows run together.

    Raises:
        InputError: a prompt or a continuation is empty, or both together are too long.
    """
    if any(not c for c in continuations):
        raise InputError("A continuation is empty.", "Give at least one token to score.")
    full = [subject.fits([*p, *c]) for p, c in zip(prompts, continuations, strict=True)]
    order = sorted(range(len(full)), key=lambda i: len(full[i]))
    out = [0.0] * len(full)
    for start in range(0, len(order), rows):
        chunk = order[start : start + rows]
        keep = 1 + max(len(continuations[i]) for i in chunk)
        batch = subject.batch([full[i] for i in chunk], side="left")
        log_p = torch.log_softmax(subject.logits(batch, keep=keep, edits=edits).float(), -1)  # [batch, keep, vocab]
        for row, i in enumerate(chunk):
            ids = torch.tensor(list(continuations[i]), device=log_p.device)
            at = log_p[row, -1 - len(ids) : -1]
            out[i] = float(at.gather(1, ids[:, None]).sum())
        if progress:
            progress((start + len(chunk)) / len(order), f"{start + len(chunk)} of {len(order)} scored")
    return out


def next_token_logits(
    subject: LanguageSubject,
    prompts: Sequence[Sequence[int]],
    *,
    edits: Sequence[Edit] = (),
    rows: int = 32,
) -> torch.Tensor:
    """Logits [prompt, vocab] after each prompt, float32 on the CPU, in the order given.

    Raises:
        InputError: a prompt is empty or too long.
    """
    full = [subject.fits(p) for p in prompts]
    order = sorted(range(len(full)), key=lambda i: len(full[i]))
    parts: list[torch.Tensor | None] = [None] * len(full)
    for start in range(0, len(order), rows):
        chunk = order[start : start + rows]
        logits = subject.logits(subject.batch([full[i] for i in chunk], side="left"), edits=edits)[:, -1].float().cpu()
        for row, i in enumerate(chunk):
            parts[i] = logits[row]
    return torch.stack([part for part in parts if part is not None])
