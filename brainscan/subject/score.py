"""Log-probabilities of given continuations: cheaper and steadier than generating."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from brainscan.core.errors import InputError
from brainscan.subject.edit import Edit
from brainscan.subject.language import LanguageSubject
from brainscan.subject.tree import TokenTree, reads_trees, tree_logits

_TREE_TOKENS = 640
"""Tokens of a tree; more gain little on a CPU, and the mask grows with the square."""


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
        rows: rows run together, where rows are padded; else whole trees of rows are.

    Raises:
        InputError: a prompt or a continuation is empty, or both together are too long.
    """
    if any(not c for c in continuations):
        raise InputError("A continuation is empty.", "Give at least one token to score.")
    full = [subject.fits([*p, *c]) for p, c in zip(prompts, continuations, strict=True)]
    out = [0.0] * len(full)
    if not full:
        return out
    trees = not edits and reads_trees(subject, max(map(len, full)))
    chunks = _alike(full) if trees else _of_like_length(full, rows)
    for done, chunk in enumerate(chunks):
        said = [continuations[i] for i in chunk]
        given = [full[i] for i in chunk]
        values = _as_tree(subject, given, said) if trees else _padded(subject, given, said, edits)
        for i, value in zip(chunk, values, strict=True):
            out[i] = value
        if progress:
            progress((done + 1) / len(chunks), f"{done + 1} of {len(chunks)} batches scored")
    return out


def _alike(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Row numbers in chunks, rows with the same beginning together."""
    chunks: list[list[int]] = [[]]
    size = 0
    for i in sorted(range(len(rows)), key=lambda i: tuple(rows[i])):
        if size + len(rows[i]) > _TREE_TOKENS and chunks[-1]:
            chunks.append([])
            size = 0
        shared = _shared(rows[chunks[-1][-1]], rows[i]) if chunks[-1] else 0
        chunks[-1].append(i)
        size += len(rows[i]) - shared
    return chunks


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _of_like_length(rows: Sequence[Sequence[int]], size: int) -> list[list[int]]:
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    return [order[start : start + size] for start in range(0, len(order), size)]


def _as_tree(
    subject: LanguageSubject, rows: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
) -> list[float]:
    tree = TokenTree.of(rows)
    before = [node for path, said in zip(tree.paths, continuations, strict=True) for node in path[-1 - len(said) : -1]]
    nodes = sorted(set(before))
    place = {node: i for i, node in enumerate(nodes)}
    ids = torch.tensor([token for said in continuations for token in said], device=subject.device)
    with torch.no_grad():
        log_p = torch.log_softmax(tree_logits(subject, tree, nodes).float(), -1)  # [nodes, vocab]
    each = log_p[[place[node] for node in before], ids]
    return [float(part.sum()) for part in each.split([len(said) for said in continuations])]


def _padded(
    subject: LanguageSubject,
    rows: Sequence[Sequence[int]],
    continuations: Sequence[Sequence[int]],
    edits: Sequence[Edit],
) -> list[float]:
    keep = 1 + max(map(len, continuations))
    logits = subject.logits(subject.batch(rows, side="left"), keep=keep, edits=edits)
    log_p = torch.log_softmax(logits.float(), -1)  # [batch, keep, vocab]
    values = []
    for row, said in enumerate(continuations):
        ids = torch.tensor(list(said), device=log_p.device)
        values.append(float(log_p[row, -1 - len(ids) : -1].gather(1, ids[:, None]).sum()))
    return values


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
