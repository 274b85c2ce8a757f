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

    def read(self, payload: Any, shape: torch.Size) -> torch.Tensor:
        """The site's tensor out of what passes here; ``shape`` is [batch, pos]."""
        x = payload[self.item] if isinstance(payload, tuple) else payload
        if self.flat:
            x = x.reshape(*shape, -1)
        return x.reshape(*x.shape[:-1], self.n_heads, -1) if self.n_heads else x

    def write(self, payload: Any, new: torch.Tensor) -> Any:
        """What passes on, with the site's tensor replaced."""
        old = payload[self.item] if isinstance(payload, tuple) else payload
        new = new.reshape(old.shape).to(old.dtype)
        if not isinstance(payload, tuple):
            return new
        parts = list(payload)
        parts[self.item] = new
        return tuple(parts)


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
    sites = sorted({*collect, *(edit.site for edit in edits)}, key=forward_order)
    last = max(collect, key=forward_order) if stop and collect else None
    handles: list[Any] = []
    try:
        for site in sites:
            port = port_of(body, family, site, n_heads)
            mine = [edit for edit in edits if edit.site == site]
            touch = _Touch(site, port, layout, mine, collect.get(site), site == last)
            handles += touch.attach(body.get_submodule(family.layers))
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Touch:
    """What happens at one site during a pass: read, edit, hand over, perhaps stop."""

    def __init__(
        self, site: Site, port: Port, layout: Layout, edits: Sequence[Edit], collect: Collector | None, last: bool
    ) -> None:
        self.site, self.port, self.layout = site, port, layout
        self.edits, self.collect, self.last = edits, collect, last
        self.stream: torch.Tensor | None = None  # resid_pre of this block, for resid_mid

    def attach(self, blocks: nn.Module) -> list[Any]:
        handles = []
        if self.site.point == "resid_mid":
            block = blocks[self.site.layer]  # type: ignore[index]
            handles.append(block.register_forward_pre_hook(self._remember, with_kwargs=True))
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
        written = self.port.read(payload, self.layout.positions.shape)
        x = written if self.stream is None else self.stream + written
        new = x
        for edit in self.edits:
            new = apply(edit, new, self.layout)
        if self.collect is not None:
            self.collect(self.site, new)
        if self.last:
            raise Stopped
        if new is x:
            return None
        return self.port.write(payload, new if self.stream is None else written + (new - x))
