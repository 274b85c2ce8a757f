"""Reading an image classifier by structure: which maps it has, in which order, and what follows each of them.

One forward pass is watched. A layer is a convolution or linear map with the batch norm and the
non-linearity that read its output directly; a block is an instance of the commonest class of modules
that hold several maps.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from brainscan.core.errors import UnknownFamily
from brainscan.subject.hooks import Port

_MAPS = (nn.Conv2d, nn.Linear)
_HANDS_ON = (nn.Identity, nn.Dropout, nn.Dropout2d)
"""In eval mode these return the very tensor that they read."""
_NOT_POINTWISE = ("Softmax", "LogSoftmax", "Softmin", "MultiheadAttention", "GLU")


@dataclass(frozen=True)
class Layer:
    """One map of the network. Layers are numbered in the order in which a forward pass meets them."""

    number: int
    path: str
    """Module path, for example ``blocks.15.expand.conv``."""
    kind: Literal["convolution", "linear"]
    channels: int
    grid: tuple[int, int] | None
    """Rows and columns, where the output is a map."""
    positions: int
    pre: Port
    """Output, batch norm included, before any non-linearity."""
    post: Port | None
    """After its non-linearity; None where none follows directly as a module."""

    @property
    def point(self) -> str:
        """The point that later layers read: after the non-linearity, where there is one."""
        return "channel_pre" if self.post is None else "channel"


@dataclass(frozen=True)
class Structure:
    """What one watched pass showed."""

    layers: tuple[Layer, ...]
    blocks: tuple[Port, ...]
    """Outputs of the blocks in order; empty where the network has none."""
    block_kind: str
    order: dict[tuple[int, int], int]
    """(id of module, call) -> when it returned."""


@dataclass(frozen=True)
class _Call:
    """One call of one module during the watched pass; it keeps its tensors, so that ids stay unique."""

    path: str
    module: nn.Module
    turn: int
    read: Any
    wrote: Any


def read_structure(model: nn.Module, example: torch.Tensor) -> Structure:
    """Watch one forward pass.

    Args:
        example: one image as the model takes it [1, 3, row, column].

    Raises:
        UnknownFamily: it has no convolution or linear map.
    """
    calls = _watch(model, example)
    turns = Counter(id(call.module) for call in calls)
    layers: list[Layer] = []
    for i, call in enumerate(calls):
        if isinstance(call.module, _MAPS) and isinstance(call.wrote, torch.Tensor):
            layers.append(_layer(len(layers), call, calls[i + 1 :], turns))
    if not layers:
        raise UnknownFamily(
            "This model calls no convolution and no linear map, so it has no channels to read.",
            "Give an image classifier whose layers are modules.",
        )
    order = {(id(call.module), call.turn): i for i, call in enumerate(calls)}
    blocks = _blocks(model, calls, turns)
    kind = type(blocks[0].module).__name__ if blocks else ""
    return Structure(tuple(layers), blocks, kind, order)


def _watch(model: nn.Module, example: torch.Tensor) -> list[_Call]:
    calls: list[_Call] = []
    turns: Counter[int] = Counter()
    handles = []
    for path, module in model.named_modules():

        def note(module: nn.Module, args: tuple[Any, ...], wrote: Any, path: str = path) -> None:
            calls.append(_Call(path, module, turns[id(module)], args[0] if args else None, wrote))
            turns[id(module)] += 1

        handles.append(module.register_forward_hook(note))
    try:
        with torch.no_grad():
            model(example)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _layer(number: int, call: _Call, later: list[_Call], turns: Counter[int]) -> Layer:
    norm = _reader(call, later, _is_channel_norm)
    act = _reader(norm or call, later, _is_pointwise)
    out: torch.Tensor = call.wrote
    # A convolution's channels are the first dimension of an image, a linear map's the last.
    first = isinstance(call.module, nn.Conv2d)
    sides = tuple(map(int, out.shape[2:] if first else out.shape[1:-1]))
    channels = int(out.shape[1 if first else -1])
    return Layer(
        number=number,
        path=call.path,
        kind="convolution" if first else "linear",
        channels=channels,
        grid=(sides[0], sides[1]) if len(sides) == 2 else None,
        positions=out[0].numel() // channels,
        pre=_port(norm or call, turns, grid=first),
        post=None if act is None else _port(act, turns, grid=first),
    )


def _reader(source: _Call, later: list[_Call], fits: Any) -> _Call | None:
    """The first later call that reads exactly what ``source`` wrote, if it is of the kind; what hands on its input is passed over."""
    for call in later:
        if isinstance(call.module, _HANDS_ON):
            continue
        if call.read is source.wrote and not list(call.module.children()):
            return call if fits(call) else None
    return None


def _is_channel_norm(call: _Call) -> bool:
    return isinstance(call.module, nn.modules.batchnorm._BatchNorm)


def _is_pointwise(call: _Call) -> bool:
    kind = type(call.module)
    home = kind.__module__
    return home.startswith(("torch.nn.modules.activation", "transformers.activations")) and (
        kind.__name__ not in _NOT_POINTWISE
    )


def _port(call: _Call, turns: Counter[int], *, grid: bool = False) -> Port:
    return Port(call.module, "out", grid=grid, turn=(call.turn, turns[id(call.module)]))


def _blocks(model: nn.Module, calls: list[_Call], turns: Counter[int]) -> tuple[Port, ...]:
    """The commonest class of modules with at least two maps inside; of equals, the one with the most maps."""
    held = {type(module): 0 for module in model.modules()}
    maps: dict[type, int] = {}
    for module in model.modules():
        inside = sum(isinstance(part, _MAPS) for part in module.modules())
        if inside >= 2 and not isinstance(module, (nn.Sequential, nn.ModuleList)):
            held[type(module)] += 1
            maps[type(module)] = max(maps.get(type(module), 0), inside)
    chosen = max(maps, key=lambda kind: (held[kind], maps[kind]), default=None)
    if chosen is None or held[chosen] < 2:
        return ()
    found = [call for call in calls if type(call.module) is chosen]
    outs = [call.wrote[0] if isinstance(call.wrote, tuple) else call.wrote for call in found]
    if not all(isinstance(out, torch.Tensor) and out.dim() in (3, 4) for out in outs):
        return ()
    return tuple(_port(call, turns, grid=out.dim() == 4) for call, out in zip(found, outs, strict=True))
