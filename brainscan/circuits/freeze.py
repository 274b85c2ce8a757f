"""A subject frozen around one prompt: linear from the embedding and the MLPs' outputs to everywhere.

1. run the subject with softmax and norms held (``stops``) and every MLP cut: what an MLP reads becomes no gradient, what
   it writes becomes a leaf
2. keep the tensors where targets sit, with their gradient graph, and how each neuron's activation came from its inputs
3. check that leaves and biases add up to what the model computed

Gradients from any target to the leaves are then exact direct effects: everything between is linear.
Source: Ameisen et al., Circuit Tracing (2025), section "Attribution Graphs".
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from brainscan.circuits.stops import Holding, Tape
from brainscan.circuits.taps import after, before, is_matrix, reader
from brainscan.core.address import Site
from brainscan.core.errors import SelfCheckFailed, SiteUnavailable
from brainscan.subject.gradient import differentiable_logits
from brainscan.subject.hooks import hooked
from brainscan.subject.language import Batch, LanguageSubject

Rule = Literal["secant", "tangent"]
Straight = Callable[[torch.Tensor], torch.Tensor]
"""A linear path beside a dictionary: what an MLP reads [1, pos, d] -> its part of what it writes [1, pos, d]."""

EMBEDDING = Site("resid_pre", 0)
TOLERANCE = 1e-3
"""Largest gap, relative to the sum of sizes, between a logit and the sum of what flows into it."""
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Reading:
    """One matrix that an MLP reads through, and what its rows are worth in the frozen model."""

    module: nn.Module
    gain: (
        torch.Tensor
    )  # [pos, rows]: activation of neuron n gains gain[pos, r] * row r, for every r with r % d_mlp == n

    @property
    def rows(self) -> torch.Tensor:
        """[rows, d]: the matrix, one row an output."""
        weight: torch.Tensor = self.module.weight  # type: ignore[assignment]
        return weight if isinstance(self.module, nn.Linear) else weight.T  # Conv1D lies the other way


@dataclass(frozen=True, eq=False)
class Writing:
    """The matrix through which an MLP's neurons write, and the frozen scale of what follows it."""

    module: nn.Module
    gain: torch.Tensor  # [pos, d]

    @property
    def rows(self) -> torch.Tensor:
        """[d_mlp, d]: one row a neuron."""
        weight: torch.Tensor = self.module.weight  # type: ignore[assignment]
        return weight.T if isinstance(self.module, nn.Linear) else weight


@dataclass(frozen=True, eq=False)
class Frozen:
    """One prompt through one subject, ready for attribution. ``tensors`` hold the gradient graph."""

    subject: LanguageSubject
    ids: tuple[int, ...]
    tape: Tape
    tensors: Mapping[Site, torch.Tensor]
    """Sites asked for, each [1, pos, ...], with its graph down to the leaves."""
    leaves: Mapping[Site, torch.Tensor]
    """``resid_pre.0`` and every ``mlp_out``, [1, pos, d], in forward order."""
    outputs: tuple[torch.Tensor, ...]  # each [pos, d]: what the MLPs wrote, straight paths included
    acts: tuple[torch.Tensor, ...]  # each [pos, d_mlp]
    readings: tuple[tuple[Reading, ...], ...]
    """One tuple of matrices a layer."""
    writings: tuple[Writing, ...]
    positional: torch.Tensor | None  # [pos, d]: learned position embeddings, where the model adds some
    heads: Mapping[int, torch.Tensor]
    """Layer -> what attention's output matrix reads, live; empty where the family does not say which matrix that is."""
    logits: torch.Tensor  # [vocab] of the last position

    @property
    def n(self) -> int:
        """Tokens of the prompt."""
        return len(self.ids)

    @property
    def device(self) -> torch.device:
        """Where all its tensors are."""
        return self.logits.device

    def token_vectors(self) -> torch.Tensor:
        """[pos, d]: what each token puts into the stream; learned positions are not part of it."""
        whole = self.leaves[EMBEDDING][0].detach()
        return whole if self.positional is None else whole - self.positional

    def encoders(self, layer: int, positions: torch.Tensor, neurons: torch.Tensor) -> torch.Tensor:
        """[n, d]: what each neuron listens to at ``mlp_in`` of its position, so that its activation is linear there."""
        width = self.acts[layer].shape[1]
        total = torch.zeros(len(neurons), self.readings[layer][0].rows.shape[1], device=self.device)
        for reading in self.readings[layer]:
            for start in range(0, reading.gain.shape[1], width):
                rows = neurons + start
                total += reading.gain[positions, rows, None] * reading.rows[rows].float()
        return total

    def decoders(self, layer: int, positions: torch.Tensor, neurons: torch.Tensor) -> torch.Tensor:
        """[n, d]: what each neuron writes at ``mlp_out`` for an activation of 1."""
        writing = self.writings[layer]
        return writing.rows[neurons].float() * writing.gain[positions]

    def neuron_output(self, layer: int) -> torch.Tensor:
        """[pos, d]: what all neurons of a layer write, its bias left out."""
        writing = self.writings[layer]
        return (self.acts[layer] @ writing.rows.float()) * writing.gain

    def adjoint(
        self, sites: Sequence[Site], positions: torch.Tensor, vectors: torch.Tensor
    ) -> dict[Site, torch.Tensor]:
        """Gradients [n, pos, d] at every leaf before the last of n targets: vectors [n, d] at sites and positions [n].

        One pass serves targets of several layers: each target's gradient enters where it sits.
        """
        outs = {site: self.tensors[site] for site in dict.fromkeys(sites)}
        seeds = {site: torch.zeros(len(vectors), *out.shape, device=self.device) for site, out in outs.items()}
        for i, (site, position) in enumerate(zip(sites, positions.tolist(), strict=True)):
            seeds[site][i, 0, position] = vectors[i]
        before = {s: leaf for s, leaf in self.leaves.items() if any(_reaches(s, site) for site in outs)}
        found = torch.autograd.grad(
            list(outs.values()), list(before.values()), list(seeds.values()),
            is_grads_batched=True, retain_graph=True, allow_unused=True,
        )  # fmt: skip
        return {s: grad[:, 0] for s, grad in zip(before, found, strict=True) if grad is not None}

    def values(self, site: Site, positions: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        """[n]: what the targets are worth in the model."""
        return (self.tensors[site][0, positions].detach() * vectors).sum(-1)


def freeze(
    subject: LanguageSubject,
    ids: Sequence[int],
    sites: Sequence[Site] = (),
    *,
    rule: Rule = "secant",
    straight: Mapping[int, tuple[Site, Straight]] | None = None,
    keep_scores: bool = False,
) -> Frozen:
    """Freeze a subject around a prompt; see the phases above.

    Args:
        ids: the prompt.
        sites: more sites where targets sit; ``final_norm``, every ``mlp_in`` and the streams around attention are always
            kept, as far as the model has them.
        rule: how a neuron's non-linearity is held (``graph.Settings.rule``).
        straight: layer -> the site read and a linear path that stays open beside the cut MLP (skip transcoders).
        keep_scores: keep what each softmax reads, for the attribution of attention itself.

    Raises:
        SiteUnavailable: the model lacks a port that circuits need.
        SelfCheckFailed: the frozen model does not add up, so its numbers cannot be trusted.
    """
    build = _Build(subject, subject.fits(ids), rule, dict(straight or {}))
    points = [point for point in ("resid_pre", "attn_out", "mlp_in") if point in subject.points()]
    streams = (Site(point, i) for i in range(subject.n_layers) for point in points)
    wanted = {Site("final_norm"), *streams, *map(subject.check, sites)}
    tape = Tape()
    tensors: dict[Site, torch.Tensor] = {}
    with torch.enable_grad(), _biases(subject) as biases:
        with build.cut(), attached(subject, build.batch, tensors, wanted), Holding(tape, keep_scores=keep_scores):
            logits = differentiable_logits(subject, build.batch, keep=1)[0, -1].detach()
        leaves = dict(sorted(build.leaves.items(), key=lambda item: -1 if item[0] == EMBEDDING else item[0].layer or 0))
        frozen = Frozen(
            subject,
            tuple(ids),
            tape,
            tensors,
            leaves,
            tuple(build.outputs),
            tuple(build.acts),
            tuple(build.readings),
            tuple(build.writings),
            build.positional,
            build.heads,
            logits,
        )
        _check_sum(frozen, biases)
    return frozen


@contextlib.contextmanager
def attached(
    subject: LanguageSubject, batch: Batch, tensors: dict[Site, torch.Tensor], sites: set[Site]
) -> Iterator[None]:
    """Collect live tensors of ``sites`` into ``tensors`` from the pass inside, under eager attention."""
    for site in sites:
        subject.check(site)

    def keep(site: Site, x: torch.Tensor) -> None:
        tensors[site] = x

    hooks = hooked(
        subject.body,
        subject.family,
        subject.n_heads,
        batch.layout(),
        collect=dict.fromkeys(sites, keep),
        edits=(),
        stop=False,
    )
    with subject._attention("eager"), hooks:
        yield


@dataclass(eq=False)
class _Build:
    """What the hooks of one forward pass gather."""

    subject: LanguageSubject
    ids: list[int]
    rule: Rule
    straight: dict[int, tuple[Site, Straight]]
    leaves: dict[Site, torch.Tensor] = field(default_factory=dict)
    outputs: list[torch.Tensor] = field(default_factory=list)
    acts: list[torch.Tensor] = field(default_factory=list)
    readings: list[tuple[Reading, ...]] = field(default_factory=list)
    writings: list[Writing] = field(default_factory=list)
    positional: torch.Tensor | None = None
    heads: dict[int, torch.Tensor] = field(default_factory=dict)
    _down: tuple[nn.Module, torch.Tensor] | None = None
    _inside: list[tuple[nn.Module, torch.Tensor]] | None = None
    _read: dict[int, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.batch = self.subject.batch([self.ids])

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Hooks that cut the MLPs, leaf the embedding, and read the neurons' gains."""
        handles = list(self._handles())
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _handles(self) -> Iterator[Any]:
        subject = self.subject
        yield before(subject.port(EMBEDDING), self._leaf_embedding)
        embed = subject.body.get_submodule(subject.family.embed)
        for module in subject.body.modules():
            if isinstance(module, nn.Embedding) and module is not embed:
                yield module.register_forward_hook(self._learned_positions)
        for layer in range(subject.n_layers):
            for site in (Site("mlp_in", layer), Site("mlp_act", layer), Site("mlp_out", layer)):
                subject.check(site)
            if layer in self.straight:
                yield reader(
                    subject, self.batch, self.straight[layer][0], lambda x, layer=layer: self._read.update({layer: x})
                )
            if "head_out" in subject.points():  # the matrix's own input, because a view of it has no gradient
                port = subject.port(Site("head_out", layer))
                yield before(port, lambda x, layer=layer: self.heads.update({layer: x}))
            yield before(subject.port(Site("mlp_in", layer)), self._enter)
            for module in subject.body.get_submodule(subject.family.layers)[layer].modules():  # type: ignore[index]
                if is_matrix(module):
                    yield module.register_forward_hook(self._inner)
            last = subject.port(Site("mlp_act", layer))
            yield before(last, self._leave)
            yield last.module.register_forward_hook(self._written)
            yield after(subject.port(Site("mlp_out", layer)), lambda x, layer=layer: self._cut(layer, x))

    def _learned_positions(self, module: nn.Module, args: Any, out: torch.Tensor) -> None:
        if out.shape[-1] == self.subject.d_model:
            self.positional = out.detach().expand(1, -1, -1)[0]

    def _leaf_embedding(self, x: torch.Tensor) -> torch.Tensor:
        self.leaves[EMBEDDING] = x.detach().clone().requires_grad_()
        return self.leaves[EMBEDDING].clone()  # a block may write over what it is given

    def _enter(self, x: torch.Tensor) -> None:
        self._inside = []

    def _inner(self, module: nn.Module, args: Any, out: torch.Tensor) -> torch.Tensor | None:
        if self._inside is None:
            return None
        self._inside.append((module, out.detach().requires_grad_()))
        return self._inside[-1][1]

    def _leave(self, act: torch.Tensor) -> torch.Tensor:
        inside, self._inside = self._inside or [], None
        self.readings.append(_readings(self.subject, inside, act, self.rule))
        self.acts.append(act.detach().reshape(len(self.ids), -1))
        return act.detach()

    def _written(self, module: nn.Module, args: Any, out: torch.Tensor) -> torch.Tensor:
        self._down = (module, out.detach().requires_grad_())
        return self._down[1]

    def _cut(self, layer: int, x: torch.Tensor) -> torch.Tensor:
        assert self._down is not None
        module, down = self._down
        gain = torch.autograd.grad(x.sum(), down)[0].reshape(len(self.ids), -1)
        self.writings.append(Writing(module, gain.detach()))
        value = x.detach().reshape(1, len(self.ids), -1)
        self.outputs.append(value[0])
        path = self.straight[layer][1](self._read[layer]) if layer in self.straight else None
        leaf = (value if path is None else value - path.detach()).clone().requires_grad_()
        self.leaves[Site("mlp_out", layer)] = leaf
        return leaf.clone() if path is None else leaf + path


def _readings(
    subject: LanguageSubject, inside: list[tuple[nn.Module, torch.Tensor]], act: torch.Tensor, rule: Rule
) -> tuple[Reading, ...]:
    """How an activation comes from the matrices inside its MLP, from one backward pass over element-wise functions."""
    width = act.shape[-1]
    if not inside or any(out.shape[-1] % width for _, out in inside):
        raise SiteUnavailable(
            f"The MLPs of {subject.card.name} are not made of matrices with one row a neuron.",
            "Merge a live adapter first, or trace with a dictionary.",
        )
    slopes = torch.autograd.grad(act.sum(), [out for _, out in inside])
    factors = sum(out.shape[-1] // width for _, out in inside)
    found = []
    for (module, out), slope in zip(inside, slopes, strict=True):
        gain = slope
        if rule == "secant":
            value = act.detach().repeat(*([1] * (act.dim() - 1)), out.shape[-1] // width)
            gain = torch.where(out.abs() > _TINY, value / out.detach(), slope) / factors
        found.append(Reading(module, gain.detach().reshape(-1, out.shape[-1])))
    return tuple(found)


def _reaches(leaf: Site, target: Site) -> bool:
    """Whether a leaf comes before a target in the forward pass."""
    if leaf == EMBEDDING or target.layer is None:
        return True
    return (leaf.layer or 0) < target.layer or (leaf.layer == target.layer and target.point == "resid_post")


@contextlib.contextmanager
def _biases(subject: LanguageSubject) -> Iterator[list[nn.Parameter]]:
    """Biases with gradients, so that what they add can be counted."""
    found = [weight for name, weight in subject.body.named_parameters() if name.endswith("bias")]
    before = [bias.requires_grad for bias in found]
    for bias in found:
        bias.requires_grad_(True)
    try:
        yield found
    finally:
        for bias, was in zip(found, before, strict=True):
            bias.requires_grad_(was)


def _check_sum(frozen: Frozen, biases: list[nn.Parameter]) -> None:
    """Leaves and biases add up to the largest centred logit, or the frozen model is not the model."""
    matrix = frozen.subject.unembedding
    vector = (matrix[int(frozen.logits.argmax())] - matrix.mean(0)).detach()
    value = (frozen.tensors[Site("final_norm")][0, -1] * vector).sum()
    inputs = [*frozen.leaves.values(), *biases]
    grads = torch.autograd.grad(value, inputs, retain_graph=True, allow_unused=True)
    parts = [(x.detach() * g).sum() for x, g in zip(inputs, grads, strict=True) if g is not None]
    total, size = sum(parts), sum(part.abs() for part in parts)
    gap = float((value.detach() - total).abs() / (size + _TINY))
    if not gap <= TOLERANCE:
        raise SelfCheckFailed(
            f"The frozen {frozen.subject.card.name} does not add up: {gap:.2%} of a logit is unaccounted for.",
            "Its blocks hold something that circuits do not freeze; report the model's config.json.",
        )
