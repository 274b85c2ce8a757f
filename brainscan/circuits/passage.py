"""Gradients through frozen attention as three matrices a layer: autograd's numbers at a fraction of its work.

With the MLPs cut, only attention lies between one layer and the next, and frozen attention is what its heads read (a
matrix), where they look (the pattern) and what they write (a matrix), with a norm's scale at either end. Knowing that,
a target is followed from its own layer and position on, where nothing above or after it can reach it.

1. the matrices, by probing a prompt of the first token alone
2. the scales of the norms at each position, from one random gradient a layer
3. a trial against autograd: a model whose blocks are made otherwise (parallel ones, a path beside the MLPs) fails it and
   is left to autograd
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from brainscan.circuits.freeze import EMBEDDING, Frozen, freeze
from brainscan.core.address import Site

TOLERANCE = 1e-5
"""Largest gap to autograd in the trial, relative to the largest gradient."""
_TRIED = 3
"""Targets of the trial."""


@dataclass(frozen=True, eq=False)
class _Block:
    """One layer's frozen attention."""

    writes: torch.Tensor  # [d, head * d_head]
    reads: torch.Tensor  # [group * d_head, d], heads that read alike in one group
    pattern: torch.Tensor  # [head, query, key]
    groups: int
    written: torch.Tensor  # [pos] scale of what is written
    read: torch.Tensor  # [pos] scale of what is read

    def back(self, gradient: torch.Tensor) -> torch.Tensor:
        """[pos, n, d] after the attention -> what flows through its heads to the stream before it."""
        m, n, d = gradient.shape
        heads = len(self.pattern) // self.groups
        out = (gradient * self.written[:m, None, None]).reshape(m * n, d) @ self.writes
        split = out.reshape(m, n, self.groups, heads, -1).permute(2, 3, 0, 1, 4).reshape(self.groups, heads * m, -1)
        looks = self.pattern[:, :m, :m].reshape(self.groups, heads * m, m).transpose(1, 2)
        looked = looks @ split  # [group, key, n * d_head]
        mixed = looked.reshape(self.groups, m, n, -1).permute(1, 2, 0, 3).reshape(m * n, -1)
        return (mixed @ self.reads).reshape(m, n, d) * self.read[:m, None, None]


@dataclass(frozen=True, eq=False)
class Passage:
    """The way back from what MLPs read to everything that was written before."""

    frozen: Frozen
    blocks: tuple[_Block, ...]

    def walk(
        self, layers: Sequence[int], positions: torch.Tensor, vectors: torch.Tensor
    ) -> Iterator[tuple[Site, torch.Tensor]]:
        """Gradients of targets at ``mlp_in``, leaf after leaf from the highest: [pos, so many first targets, d].

        Positions after the last target are left out, targets that sit below a leaf too.

        Args:
            layers: of the targets, the highest first.
            positions: [n].
            vectors: [n, d] at ``mlp_in``.
        """
        m = int(positions.max()) + 1
        flow = torch.zeros(m, 0, vectors.shape[1], device=vectors.device)
        for layer in range(layers[0], -1, -1):
            mine = [i for i, each in enumerate(layers) if each == layer]
            if mine:
                entering = self._enter(layer, positions[mine], vectors[mine])
                fresh = torch.zeros(m, len(mine), vectors.shape[1], device=vectors.device)
                fresh[positions[mine], torch.arange(len(mine))] = entering
                flow = torch.cat([flow, fresh], 1)
            flow = flow + self.blocks[layer].back(flow)
            yield (Site("mlp_out", layer - 1) if layer else EMBEDDING), flow

    def _enter(self, layer: int, positions: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        """[n, d] at the stream that the MLP's norm reads."""
        seeds = torch.zeros(len(vectors), 1, self.frozen.n, vectors.shape[1], device=vectors.device)
        seeds[torch.arange(len(vectors)), 0, positions] = vectors
        site = self.frozen.tensors[Site("mlp_in", layer)]
        wrote = self.frozen.tensors[Site("attn_out", layer)]  # its gradient is that of the stream that the MLP reads
        found = torch.autograd.grad(site, wrote, seeds, is_grads_batched=True, retain_graph=True)[0]
        return found[torch.arange(len(vectors)), 0, positions]


def passage(frozen: Frozen) -> Passage | None:
    """The passage of a frozen model; None where its blocks are no such three matrices."""
    subject = frozen.subject
    layers = range(subject.n_layers)
    if not subject.family.has_resid_mid(subject.model.config):
        return None
    if not len(layers) == len(frozen.tape.patterns) == len(frozen.heads):
        return None
    try:
        one = freeze(subject, frozen.ids[:1])
        blocks = tuple(_block(one, frozen, layer) for layer in layers)
    except RuntimeError:  # a tensor that lies on no path
        return None
    found = Passage(frozen, blocks)
    return found if _agrees(found) else None


def _stream(frozen: Frozen, layer: int) -> torch.Tensor:
    """What attention's norm reads."""
    return frozen.tensors[Site("resid_pre", layer)] if layer else frozen.leaves[EMBEDDING]


def _pattern(frozen: Frozen, layer: int) -> torch.Tensor:
    """[head, query, key]."""
    return frozen.tape.patterns[layer].reshape(frozen.subject.n_heads, frozen.n, frozen.n)


def _back(output: torch.Tensor, source: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
    """Gradients [n, pos, width] of an output by a source, for seeds [n, pos, width]."""
    batched = seeds.reshape(len(seeds), *output.shape)
    found = torch.autograd.grad(output, source, batched, is_grads_batched=True, retain_graph=True)[0]
    return found.reshape(*seeds.shape[:2], -1)


def _block(one: Frozen, whole: Frozen, layer: int) -> _Block:
    """Phases 1 and 2."""
    site, n, d = Site("attn_out", layer), whole.n, whole.subject.d_model
    width = one.heads[layer].numel()
    writes = _back(one.tensors[site], one.heads[layer], torch.eye(d, device=whole.device)[:, None])[:, 0]
    pattern = _pattern(whole, layer)
    heads = len(pattern)
    reads = _back(one.heads[layer], _stream(one, layer), torch.eye(width, device=whole.device)[:, None])[:, 0]
    reads = reads.reshape(heads, -1, d) / _pattern(one, layer)  # one token: [head, 1, 1]
    generator = torch.Generator().manual_seed(layer)
    seed = torch.randn(1, n, d, generator=generator).to(whole.device)
    written = _ratio(_back(whole.tensors[site], whole.heads[layer], seed)[0], seed[0] @ writes)
    seed = torch.randn(1, n, width, generator=generator).to(whole.device)
    looked = torch.einsum("hqk,qhw->khw", pattern, seed.reshape(n, heads, -1)).reshape(n, -1)
    read = _ratio(_back(whole.heads[layer], _stream(whole, layer), seed)[0], looked @ reads.reshape(width, d))
    groups = _alike(reads)
    return _Block(writes, reads[:: heads // groups].reshape(-1, d), pattern, groups, written, read)


def _alike(reads: torch.Tensor) -> int:
    """How many groups of neighbouring heads read through one matrix each."""
    heads = len(reads)
    for groups in (g for g in range(1, heads) if heads % g == 0):
        parts = reads.reshape(groups, heads // groups, *reads.shape[1:])
        if torch.allclose(parts, parts[:, :1].expand_as(parts), rtol=1e-4, atol=1e-6 * float(reads.abs().max())):
            return groups
    return heads


def _ratio(found: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """[pos] by how much what was found is longer than what the scales of the first token would give."""
    return (found * expected).sum(-1) / expected.square().sum(-1).clamp(min=1e-30)


def _agrees(found: Passage) -> bool:
    """Phase 3."""
    frozen, n = found.frozen, found.frozen.n
    generator = torch.Generator().manual_seed(0)
    top = frozen.subject.n_layers - 1
    layers = sorted({top, (top + 1) // 2, 0}, reverse=True)[:_TRIED]
    positions = torch.tensor([n - 1, n // 2, n - 1][: len(layers)], device=frozen.device)
    vectors = torch.randn(len(layers), frozen.subject.d_model, generator=generator).to(frozen.device)
    sites = [Site("mlp_in", layer) for layer in layers]
    truth = frozen.adjoint(sites, positions, vectors)
    for leaf, gradient in found.walk(layers, positions, vectors):
        if leaf not in truth:
            return False
        wanted = truth[leaf][: gradient.shape[1], : gradient.shape[0]].transpose(0, 1)
        if not bool((gradient - wanted).abs().max() <= TOLERANCE * wanted.abs().max().clamp(min=1e-20)):
            return False
    return True
