"""Read many rows that begin alike as one sequence: a tree of tokens instead of a padded batch.

Prompts under one chat template share their opening, and several answers share a prompt. In a tree each
shared beginning is read once and nothing is padded; a token sees its ancestors alone and stands at its
depth, so every row reads as if it were alone. Models that cannot be given such a mask (no position ids,
or numbers that differ in a trial) are told apart by ``reads_trees``, and callers pad for them.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import torch

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


def tree_logits(subject: LanguageSubject, tree: TokenTree, nodes: Sequence[int]) -> torch.Tensor:
    """Next-token logits [len(nodes), vocab] at some nodes; with their gradient graph under ``enable_grad``."""
    sees = tree.sees()
    dtype = next(subject.model.parameters()).dtype
    mask = torch.zeros(sees.shape, dtype=dtype).masked_fill(~sees, torch.finfo(dtype).min)
    keep = torch.tensor(list(nodes))
    device = subject.device
    extra = {"logits_to_keep": keep.to(device)} if "logits_to_keep" in subject._signature(subject.model) else {}
    out = subject.model(
        input_ids=torch.tensor([tree.ids], device=device),
        attention_mask=mask[None, None].to(device),
        position_ids=(sees.sum(1) - 1)[None].to(device),
        use_cache=False,
        **extra,
    )
    return out.logits[0] if extra else out.logits[0, keep.to(device)]


def reads_trees(subject: LanguageSubject, longest: int) -> bool:
    """Whether trees with rows of up to ``longest`` tokens read like single rows in this model; tried once a model."""
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
