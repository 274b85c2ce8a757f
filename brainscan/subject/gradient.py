"""Gradients through a subject: logits that can be differentiated, and slopes along its input tokens.

Everything else in the house runs without gradients; whoever needs them asks here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from brainscan.subject.language import Batch, LanguageSubject


def differentiable_logits(subject: LanguageSubject, batch: Batch, *, keep: int) -> torch.Tensor:
    """Next-token logits [batch, keep, vocab] of the last ``keep`` columns, with their gradient graph.

    Call it under ``torch.enable_grad()``; rows should be padded on the left, so that they end together.
    """
    extra = {"logits_to_keep": keep} if "logits_to_keep" in subject._signature(subject.model) else {}
    out = subject.model(**subject._arguments(subject.model, batch, False), use_cache=False, **extra)
    return out.logits[:, -keep:]


def token_slopes(
    subject: LanguageSubject,
    prompts: Sequence[Sequence[int]],
    continuation: Sequence[int],
    slots: Sequence[Sequence[int]],
) -> torch.Tensor:
    """How log p(continuation) would change, to first order, with another token in each slot.

    For a slot holding token a, the entry of token v is (E[v] - E[a]) . d log p / d E[a]: high means
    that v there would raise the continuation. The linear guess is rough for so
    big a step; it ranks candidates, which must then be run (HotFlip, Ebrahimi et al. 2018, section 3).

    Args:
        prompts: token ids.
        continuation: token ids, at least one.
        slots: for each prompt, as many indices of tokens as every other prompt has.

    Returns:
        [prompt, slot, vocab] in nats, on the CPU.
    """
    rows = [subject.fits([*prompt, *continuation]) for prompt in prompts]
    batch = subject.batch(rows, side="left")
    table = subject.model.get_input_embeddings()
    kept: list[torch.Tensor] = []

    def watch(module: torch.nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        kept.append(output.detach().requires_grad_(True))
        return kept[-1]

    handle = table.register_forward_hook(watch)
    try:
        with torch.enable_grad():
            logits = differentiable_logits(subject, batch, keep=len(continuation) + 1)[:, :-1]
            goal = torch.tensor(list(continuation), device=logits.device).expand(len(rows), -1)
            log_p = torch.log_softmax(logits.float(), -1).gather(2, goal[..., None]).sum()
            (slope,) = torch.autograd.grad(log_p, kept[-1])  # [batch, pos, d_model]
    finally:
        handle.remove()
    width = batch.ids.shape[1]
    at = torch.tensor([[width - len(row) + i for i in places] for row, places in zip(rows, slots, strict=True)])
    pick = torch.arange(len(rows))[:, None]
    here = slope[pick, at.to(slope.device)].float()  # [batch, slot, d_model]
    now = kept[-1].detach()[pick, at.to(slope.device)].float()
    gain = here @ table.weight.detach().float().T  # [batch, slot, vocab]
    return (gain - (here * now).sum(-1, keepdim=True)).cpu()
