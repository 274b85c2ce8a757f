"""Total effects: the frozen model with its MLPs opened again, each node linear at its frozen gain.

One backward pass then gives the effect of every neuron or feature on an outcome over all paths at once. It chooses
candidates, and it is the prediction that edits are held against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from brainscan.circuits.freeze import Frozen, attached
from brainscan.circuits.stops import Holding, Tape
from brainscan.circuits.taps import after, before, reader
from brainscan.circuits.targets import Outcome
from brainscan.core.address import Site
from brainscan.subject.gradient import differentiable_logits


def neuron_gradients(frozen: Frozen, outcome: Outcome) -> list[torch.Tensor]:
    """Gradient [pos, d_mlp] of the outcome (targets weighted) by each layer's activations, zeros where it has none."""
    nodes: list[torch.Tensor] = []
    found = _gradients(frozen, outcome, _open_neurons(frozen, nodes), nodes)
    return [
        torch.zeros_like(act) if g is None else g.reshape(act.shape) for act, g in zip(frozen.acts, found, strict=True)
    ]


def feature_gradients(
    frozen: Frozen,
    outcome: Outcome,
    reads: Mapping[int, Site],
    layer: torch.Tensor,
    position: torch.Tensor,
    encode: Callable[[torch.Tensor], torch.Tensor],
    writes: Sequence[tuple[int, torch.Tensor, torch.Tensor]],
) -> torch.Tensor:
    """Gradient [n] of the outcome by each active feature.

    Args:
        reads: layer -> the site that its features listen to.
        layer, position: of each feature [n].
        encode: features of one layer [m] -> what they listen to [m, d].
        writes: (layer written, features [m], their vectors [m, d] for an activation of 1).
    """
    nodes: list[torch.Tensor] = []
    members = {i: torch.nonzero(layer == i).flatten() for i in sorted(reads)}
    handles = _open_features(frozen, reads, position, members, encode, writes, nodes)
    found = _gradients(frozen, outcome, handles, nodes)
    total = torch.zeros(len(layer), device=layer.device)
    for ids, gradient in zip(members.values(), found, strict=True):
        if gradient is not None:
            total[ids] = gradient
    return total


def output_gradients(frozen: Frozen, outcome: Outcome, *, free_scales: bool) -> list[torch.Tensor]:
    """Gradient [pos, d] of the outcome by what each layer's MLP writes, in the model itself with its patterns held.

    Nothing is linear here but attention: it is what a small edit does. ``free_scales``: norms answer to the edit too.
    """
    subject, tensors = frozen.subject, {}
    nodes: list[torch.Tensor] = []
    batch = subject.batch([list(frozen.ids)])

    def keep(x: torch.Tensor) -> torch.Tensor:
        nodes.append(x if x.requires_grad else x.detach().requires_grad_())
        return nodes[-1].clone()

    with ExitStack() as stack, torch.enable_grad():
        embedding = subject.body.get_submodule(subject.family.embed)
        stack.callback(embedding.register_forward_hook(_started).remove)
        for layer in range(subject.n_layers):
            stack.callback(after(subject.port(Site("mlp_out", layer)), keep).remove)
        sites = {target.site for target in outcome.targets}
        with attached(subject, batch, tensors, sites), Holding(Tape(), free_scales=free_scales):
            differentiable_logits(subject, batch, keep=1)
        found = torch.autograd.grad(_value(outcome, tensors), nodes, allow_unused=True)
    shape = frozen.outputs[0].shape
    return [torch.zeros(shape, device=frozen.device) if g is None else g.reshape(shape) for g in found]


def _started(module: nn.Module, args: Any, out: torch.Tensor) -> torch.Tensor:
    return out.detach().requires_grad_().clone()


def _value(outcome: Outcome, tensors: Mapping[Site, torch.Tensor]) -> torch.Tensor:
    parts = [t.weight * (tensors[t.site][0, t.position] * t.vector).sum() for t in outcome.targets]
    return torch.stack(parts).sum()


def _gradients(
    frozen: Frozen, outcome: Outcome, handles: Iterator[Any], nodes: list[torch.Tensor]
) -> tuple[torch.Tensor | None, ...]:
    subject, tensors = frozen.subject, {}
    batch = subject.batch([list(frozen.ids)])
    with ExitStack() as stack, torch.enable_grad():
        for handle in handles:
            stack.callback(handle.remove)
        with attached(subject, batch, tensors, {target.site for target in outcome.targets}), Holding(Tape()):
            differentiable_logits(subject, batch, keep=1)
        return torch.autograd.grad(_value(outcome, tensors), nodes, allow_unused=True)


def _open_neurons(frozen: Frozen, nodes: list[torch.Tensor]) -> Iterator[Any]:
    subject = frozen.subject
    embedding = subject.body.get_submodule(subject.family.embed)
    yield embedding.register_forward_hook(_started)
    for layer, readings in enumerate(frozen.readings):
        live: list[torch.Tensor] = []
        for reading in readings:
            yield reading.module.register_forward_hook(lambda module, args, out, live=live: live.append(out))

        def leave(act: torch.Tensor, layer: int = layer, live: list[torch.Tensor] = live) -> torch.Tensor:
            new = act.detach()
            for reading, out in zip(frozen.readings[layer], live, strict=True):
                moved = (reading.gain.reshape(out.shape) * (out - out.detach())).split(act.shape[-1], dim=-1)
                new = new + sum(moved)
            nodes.append(new)
            return new

        yield before(subject.port(Site("mlp_act", layer)), leave)


def _open_features(
    frozen: Frozen,
    reads: Mapping[int, Site],
    position: torch.Tensor,
    members: Mapping[int, torch.Tensor],
    encode: Callable[[torch.Tensor], torch.Tensor],
    writes: Sequence[tuple[int, torch.Tensor, torch.Tensor]],
    nodes: list[torch.Tensor],
) -> Iterator[Any]:
    subject = frozen.subject
    batch = subject.batch([list(frozen.ids)])
    embedding: nn.Module = subject.body.get_submodule(subject.family.embed)
    yield embedding.register_forward_hook(_started)
    moved = torch.zeros(len(position), device=position.device)
    live = {"moved": moved}
    for layer, ids in members.items():

        def enter(x: torch.Tensor, ids: torch.Tensor = ids) -> None:
            if len(ids):
                rows = x.reshape(len(frozen.ids), -1)[position[ids]]
                nodes.append(((rows - rows.detach()) * encode(ids)).sum(-1))
                live["moved"] = live["moved"].index_add(0, ids, nodes[-1])
            else:
                nodes.append(torch.zeros(0, device=x.device, requires_grad=True))

        yield reader(subject, batch, reads[layer], enter)
    for layer in range(subject.n_layers):

        def leave(x: torch.Tensor, layer: int = layer) -> torch.Tensor:
            out = x.detach().reshape(len(frozen.ids), -1)
            for _, who, vectors in (write for write in writes if write[0] == layer and len(write[1])):
                out = out.index_add(0, position[who], live["moved"][who, None] * vectors)
            return out.reshape(x.shape)

        yield after(subject.port(Site("mlp_out", layer)), leave)
