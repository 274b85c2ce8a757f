"""Gradients through a subject: logits that can be differentiated.

Everything else in the house runs without gradients; whoever needs them asks here.
"""

from __future__ import annotations

import torch

from brainscan.subject.hooks import hooked
from brainscan.subject.language import Batch, LanguageSubject


def differentiable_logits(subject: LanguageSubject, batch: Batch, *, keep: int) -> torch.Tensor:
    """Next-token logits [batch, keep, vocab] of the last ``keep`` columns, with their gradient graph.

    Call it under ``torch.enable_grad()``; rows should be padded on the left, so that they end together.
    """
    extra = {"logits_to_keep": keep} if "logits_to_keep" in subject._signature(subject.model) else {}
    edits = subject.standing
    hooks = hooked(subject.body, subject.family, subject.n_heads, batch.layout(), collect={}, edits=edits, stop=False)
    with hooks:
        out = subject.model(**subject._arguments(subject.model, batch, False), use_cache=False, **extra)
    return out.logits[:, -keep:]
