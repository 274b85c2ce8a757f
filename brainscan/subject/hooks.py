"""The one hook implementation: read and change a model's insides, for every family of the table.

This file knows ports and tensors. It refuses to know tokenizers, texts and what a site means.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from brainscan.core.address import Site
from brainscan.subject.edit import Edit, Layout, apply
from brainscan.subject.families import Family

# Order of the points inside one block, as the forward pass meets them.
_ORDER = ("resid_pre", "head_out", "attn_probs", "attn_out", "resid_mid", "mlp_in", "mlp_act", "mlp_out", "resid_post")

Collector = Callable[[Site, torch.Tensor], None]


class Stopped(Exception):
    """Raised inside a forward pass after the last site that anyone asked for; caught by the caller."""


class _SameLayout(torch.autograd.Function):
    """Hands gradients on in the layout of the tensor itself.

    torch's batch norm in eval mode (seen in 2.13, CPU) reads a gradient in channels-last order as if it were contiguous,
    and the transposed view of a map would send it one.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.like = (x.shape, x.stride())
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        return torch.empty_strided(*ctx.like, dtype=grads[0].dtype, device=grads[0].device).copy_(grads[0])


@dataclass(frozen=True)
class Port:
    """A place in the model where a site's tensor passes: the input or output of one module."""

    module: nn.Module
    side: str
    item: int = 0
    """Which element, where the module returns several."""
    flat: bool = False
    """The tensor is [batch * pos, d] and is shown as [batch, pos, d]."""
    n_heads: int = 0
    """Above 0: the last dimension is shown as [head, d_head]."""
    grid: bool = False
    """The tensor is [batch, channel, row, column] and is shown as [batch, pos, channel], positions row by row."""
    turn: tuple[int, int] = (0, 1)
    """Which call of the module, of how many in a pass."""

    def read(self, payload: Any, shape: torch.Size | None) -> torch.Tensor:
        """The site's tensor out of what passes here; ``shape`` is [batch, pos], None when it follows from the tensor."""
        x = payload[self.item] if isinstance(payload, tuple) else payload
        if self.grid:
            x = _SameLayout.apply(x) if x.requires_grad else x  # pyright: ignore[reportAssignmentType]
            return x.flatten(2).transpose(1, 2)
        if self.flat and shape is not None:
            x = x.reshape(*shape, -1)
        elif x.dim() == 2:
            x = x[:, None]  # one vector an image: a single position
        elif shape is None and x.dim() == 4:
            x = x.flatten(1, 2)  # a map with its channels last, as linear maps take it
        return x.reshape(*x.shape[:-1], self.n_heads, -1) if self.n_heads else x

    def write(self, payload: Any, new: torch.Tensor) -> Any:
        """What passes on, with the site's tensor replaced."""
        old = payload[self.item] if isinstance(payload, tuple) else payload
        new = (new.transpose(1, 2) if self.grid else new).reshape(old.shape).to(old.dtype)
        if not isinstance(payload, tuple):
            return new
        parts = list(payload)
        parts[self.item] = new
        return tuple(parts)


@dataclass(frozen=True)
class Place:
    """A site with its port, as one model offers it."""

    site: Site
    port: Port
    stem: nn.Module | None = None
    """The module whose input the port's tensor is added to before it is the site's (``resid_mid``)."""


def port_of(body: nn.Module, family: Family, site: Site, n_heads: int) -> Port:
    """The port of a site that the model offers (``resid_mid`` has that of ``attn_out``)."""
    if site.point == "final_norm":
        return Port(body.get_submodule(family.final_norm), "out")
    block = body.get_submodule(family.layers)[site.layer]  # type: ignore[index]
    if site.point in ("resid_pre", "resid_post"):
        return Port(block, "in" if site.point == "resid_pre" else "out")
    path, _, side = family.ports["attn_out" if site.point == "resid_mid" else site.point].partition(":")
    side, _, item = side.partition(".")
    flat = family.flat_mlp and site.point.startswith("mlp")
    heads = n_heads if site.point == "head_out" else 0
    return Port(block.get_submodule(path), side, int(item or 0), flat, heads)


def forward_order(site: Site) -> tuple[float, int]:
    """Sort key: when in the forward pass a site is reached."""
    if site.layer is None:
        return (float("inf"), 0)
    return (site.layer, _ORDER.index(site.point))


@contextlib.contextmanager
def hooked(
    body: nn.Module,
    family: Family,
    n_heads: int,
    layout: Layout,
    *,
    collect: Mapping[Site, Collector],
    edits: Sequence[Edit],
    stop: bool,
) -> Iterator[None]:
    """Within the block, every forward pass of ``body`` is read and changed as asked.

    With ``stop``, the pass raises ``Stopped`` after the last collected site.
    """
    blocks = body.get_submodule(family.layers)
    places = [
        Place(
            site,
            port_of(body, family, site, n_heads),
            blocks[site.layer] if site.point == "resid_mid" else None,  # type: ignore[index]
        )
        for site in sorted({*collect, *(edit.site for edit in edits)}, key=forward_order)
    ]
    with touched(places, layout, collect=collect, edits=edits, stop=stop):
        yield


@contextlib.contextmanager
def touched(
    places: Sequence[Place],
    layout: Layout | None,
    *,
    collect: Mapping[Site, Collector],
    edits: Sequence[Edit],
    stop: bool,
) -> Iterator[None]:
    """Within the block, these places are read and changed as asked, in whatever model they are.

    Args:
        places: every site asked for, in the order in which a forward pass reaches them.
        layout: where the tokens are; None where every position of every site is real (images).
        stop: raise ``Stopped`` after the last collected site.
    """
    last = next((place.site for place in reversed(places) if place.site in collect), None) if stop else None
    handles: list[Any] = []
    try:
        for place in places:
            mine = [edit for edit in edits if edit.site == place.site]
            handles += _Touch(place, layout, mine, collect.get(place.site), place.site == last).attach()
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Touch:
    """What happens at one site during a pass: read, edit, hand over, perhaps stop."""

    def __init__(
        self, place: Place, layout: Layout | None, edits: Sequence[Edit], collect: Collector | None, last: bool
    ) -> None:
        self.place, self.port, self.layout = place, place.port, layout
        self.edits, self.collect, self.last = edits, collect, last
        self.stream: torch.Tensor | None = None  # resid_pre of this block, for resid_mid
        self.calls = 0

    def attach(self) -> list[Any]:
        handles = []
        if self.place.stem is not None:
            handles.append(self.place.stem.register_forward_pre_hook(self._remember, with_kwargs=True))
        if self.port.side == "in":
            handles.append(self.port.module.register_forward_pre_hook(self._on_input, with_kwargs=True))
        else:
            handles.append(self.port.module.register_forward_hook(self._on_output))
        return handles

    def _remember(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.stream = args[0] if args else kwargs["hidden_states"]

    def _on_input(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            changed = self._pass(args[0])
            return None if changed is None else ((changed, *args[1:]), kwargs)
        changed = self._pass(kwargs["hidden_states"])
        return None if changed is None else (args, {**kwargs, "hidden_states": changed})

    def _on_output(self, module: nn.Module, args: Any, output: Any) -> Any:
        return self._pass(output)

    def _pass(self, payload: Any) -> Any:
        turn, turns = self.port.turn
        self.calls += 1
        if (self.calls - 1) % turns != turn:
            return None
        written = self.port.read(payload, self.layout.positions.shape if self.layout else None)
        x = written if self.stream is None else self.stream + written
        new = x
        for edit in self.edits:
            new = apply(edit, new, self.layout or Layout.whole(new))
        if self.collect is not None:
            self.collect(self.place.site, new)
        if self.last:
            raise Stopped
        if new is x:
            return None
        return self.port.write(payload, new if self.stream is None else written + (new - x))
