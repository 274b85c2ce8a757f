"""Read many rows that begin alike as one sequence: a tree of tokens instead of a padded batch.

Prompts under one chat template share their opening, and several answers share a prompt. In a tree each
shared beginning is read once and nothing is padded; a token sees its ancestors alone and stands at its
depth, so every row reads as if it were alone. Models that cannot be given such a mask (no position ids,
or numbers that differ in a trial) are told apart by ``reads_trees``, and callers pad for them.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from brainscan.subject.frozen import FrozenBelow, resumed
from brainscan.subject.hooks import Stopped
from brainscan.subject.language import LanguageSubject

_TOLERANCE = 1e-3
_PROVEN: weakref.WeakKeyDictionary[torch.nn.Module, bool] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class TokenTree:
    """Rows of tokens as a tree."""

    ids: tuple[int, ...]
    parents: tuple[int, ...]
    """Node before each node; -1 at the beginning of a row."""
    paths: tuple[tuple[int, ...], ...]
    """The nodes of each row, in its order."""

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> TokenTree:
        """The tree of some rows of token ids."""
        nodes: dict[tuple[int, int], int] = {}
        paths = []
        for row in rows:
            path, at = [], -1
            for token in row:
                at = nodes.setdefault((at, int(token)), len(nodes))
                path.append(at)
            paths.append(tuple(path))
        keys = list(nodes)
        return cls(tuple(token for _, token in keys), tuple(parent for parent, _ in keys), tuple(paths))

    @property
    def depth(self) -> int:
        """Tokens of the longest row."""
        return max(len(path) for path in self.paths)

    def sees(self) -> torch.Tensor:
        """[nodes, nodes] bool: whether the token of a row sees the token of a column."""
        seen = torch.eye(len(self.ids), dtype=torch.bool)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen


def tree_logits(
    subject: LanguageSubject, tree: TokenTree, nodes: Sequence[int], below: FrozenBelow | None = None
) -> torch.Tensor:
    """Next-token logits [len(nodes), vocab] at some nodes; with their gradient graph under ``enable_grad``.

    Args:
        below: what comes out of the first blocks for this tree, if that is known already; they are not run then.
    """
    keep = torch.tensor(list(nodes), device=subject.device)
    extra = {"logits_to_keep": keep} if "logits_to_keep" in subject._signature(subject.model) else {}
    start = resumed(subject, below, below.streams[0][None]) if below else contextlib.nullcontext()
    with start:
        out = subject.model(**_arguments(subject, tree), **extra)
    return out.logits[0] if extra else out.logits[0, keep]


def shared_blocks(subject: LanguageSubject, other: LanguageSubject) -> int:
    """How many first blocks of two subjects have equal weights, embeddings included; 0 for different architectures."""
    if (subject.n_layers, subject.d_model, type(subject.model)) != (other.n_layers, other.d_model, type(other.model)):
        return 0
    ours, theirs = (each.model.get_input_embeddings().weight for each in (subject, other))
    if not torch.equal(ours, theirs):
        return 0
    blocks = [each.body.get_submodule(each.family.layers).children() for each in (subject, other)]
    return next((i for i, (a, b) in enumerate(zip(*blocks, strict=True)) if not _equal(a, b)), subject.n_layers)


def _equal(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def tree_stream(subject: LanguageSubject, tree: TokenTree, layer: int) -> FrozenBelow:
    """What one block hands to the next, as one row of nodes; the blocks above are not run."""
    kept: list[FrozenBelow] = []

    def keep(module: torch.nn.Module, args: object, out: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        stream = out[0] if isinstance(out, tuple) else out
        kept.append(FrozenBelow(layer + 1, (stream[0].clone(),), isinstance(out, tuple)))
        raise Stopped

    handle = subject.body.get_submodule(f"{subject.family.layers}.{layer}").register_forward_hook(keep)
    try:
        with torch.no_grad(), contextlib.suppress(Stopped):
            subject.body(**_arguments(subject, tree))
    finally:
        handle.remove()
    return kept[0]


def _arguments(subject: LanguageSubject, tree: TokenTree) -> dict[str, Any]:
    sees = tree.sees()
    dtype = next(subject.model.parameters()).dtype
    mask = torch.zeros(sees.shape, dtype=dtype).masked_fill(~sees, torch.finfo(dtype).min)
    return {
        "input_ids": torch.tensor([tree.ids], device=subject.device),
        "attention_mask": mask[None, None].to(subject.device),
        "position_ids": (sees.sum(1) - 1)[None].to(subject.device),
        "use_cache": False,
    }


def reads_trees(subject: LanguageSubject, longest: int) -> bool:
    """Whether trees with rows of up to ``longest`` tokens read like single rows in this model; tried once a model.

    Not under standing edits, which need to know where each row's tokens are.
    """
    if subject.standing:
        return False
    window = getattr(subject.config, "sliding_window", None)
    if "position_ids" not in subject._signature(subject.model) or (window and longest > window):
        return False
    if subject.model not in _PROVEN:
        _PROVEN[subject.model] = _agrees(subject)
    return _PROVEN[subject.model]


def _agrees(subject: LanguageSubject) -> bool:
    top = subject.unembedding.shape[0] - 1
    rows = [[min(token, top) for token in row] for row in ([3, 5, 7, 9], [3, 5, 8], [4, 6, 7, 9, 3])]
    tree = TokenTree.of(rows)
    alone = torch.cat([subject.logits(subject.batch([row]))[0] for row in rows])
    try:
        with torch.no_grad():
            together = tree_logits(subject, tree, [path[-1] for path in tree.paths])
    except (TypeError, ValueError, RuntimeError, IndexError):  # a model that has no place for such a mask
        return False
    return bool((together - alone).abs().max() <= _TOLERANCE * alone.abs().max().clamp(min=1))
