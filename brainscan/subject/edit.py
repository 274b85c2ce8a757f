"""Edits: changing activations while the subject runs.

An edit names a site, an operation and where it acts. It is a plain record; ``hooks`` applies it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from brainscan.core.address import Site
from brainscan.core.errors import SiteUnavailable, UsageError

Where = None | Literal["prompt", "generated"] | int | Sequence[int] | torch.Tensor
"""None: everywhere. "prompt" / "generated": by phase. Integers: token positions of each row,
negative ones counted from the end of its prompt. A bool tensor [batch, pos]: exactly those."""

Op = Literal["add", "set", "scale", "project_out", "patch", "map"]

Change = Callable[[torch.Tensor, "Layout"], torch.Tensor]
"""(a site's tensor [batch, pos, ...], where its tokens are) -> what stands there instead, of the same shape."""


@dataclass(frozen=True, eq=False)
class Edit:
    """One change at one site. Build it with the class methods; edits of a site act in the order given."""

    site: Site
    op: Op
    value: torch.Tensor
    at: Where = None
    head: int | None = None
    """For ``head_out``: the one head to change; None changes all."""
    change: Change | None = None
    """For "map": the function that is applied."""

    @classmethod
    def add(
        cls, site: str | Site, vector: torch.Tensor, *, dose: float = 1.0, at: Where = None, head: int | None = None
    ) -> Edit:
        """Add ``dose * vector`` (shape [d] or [batch, d])."""
        return cls(_site(site), "add", dose * vector, at, head)

    @classmethod
    def set(cls, site: str | Site, vector: torch.Tensor, *, at: Where = None, head: int | None = None) -> Edit:
        """Replace by ``vector`` (shape [d] or [batch, d]); zeros ablate."""
        return cls(_site(site), "set", vector, at, head)

    @classmethod
    def scale(
        cls, site: str | Site, factor: float | torch.Tensor, *, at: Where = None, head: int | None = None
    ) -> Edit:
        """Multiply by ``factor`` (a number, or one for each unit [d]): 1 changes nothing, 0 ablates."""
        return cls(_site(site), "scale", torch.as_tensor(factor, dtype=torch.float32), at, head)

    @classmethod
    def project_out(
        cls, site: str | Site, direction: torch.Tensor, *, at: Where = None, head: int | None = None
    ) -> Edit:
        """Remove the component along ``direction`` (shape [d], any norm but 0)."""
        norm = direction.norm()
        if not bool(norm > 0):
            raise UsageError("A zero direction cannot be projected out.", "Give a direction with a norm above 0.")
        return cls(_site(site), "project_out", direction / norm, at, head)

    @classmethod
    def patch(cls, site: str | Site, source: torch.Tensor, *, at: Where = None, head: int | None = None) -> Edit:
        """Replace by another run's activations, token by token (shape [batch, pos, ...] or [1, pos, ...]).

        Row b, token i of this run takes ``source[b, i]``; tokens beyond the source stay as they are.
        """
        return cls(_site(site), "patch", source, at, head)

    @classmethod
    def map(cls, site: str | Site, change: Change, *, at: Where = None) -> Edit:
        """Replace by what a function makes of it. A token's value may depend on itself and on earlier tokens only."""
        return cls(_site(site), "map", torch.empty(0), at, None, change)

    def __post_init__(self) -> None:
        if self.site.point == "attn_probs":
            raise SiteUnavailable(
                "Attention patterns can be captured but not edited.",
                "Edit head_out (scale a head by 0) or attn_out instead.",
            )
        if self.head is not None and self.site.point != "head_out":
            raise UsageError(
                f"A head was given for {self.site}, which has no heads.", "Use head_out, or leave the head out."
            )


@dataclass(frozen=True)
class Layout:
    """Where the tokens of a batch are: what an edit needs to find its places."""

    positions: torch.Tensor  # [batch, pos] index of each token in its own row, -1 for padding
    prompt_lengths: torch.Tensor  # [batch]

    @classmethod
    def whole(cls, x: torch.Tensor) -> Layout:
        """The layout of ``x`` [batch, pos, ...] when every position is real."""
        positions = torch.arange(x.shape[1], device=x.device).expand(x.shape[0], -1)
        return cls(positions, torch.full((x.shape[0],), x.shape[1], device=x.device))

    def mask(self, at: Where) -> torch.Tensor:
        """Places that ``at`` means, as bool [batch, pos]; padding is never among them."""
        real = self.positions >= 0
        if at is None:
            return real
        if isinstance(at, torch.Tensor) and at.dtype == torch.bool:
            return real & self._given(at)
        lengths = self.prompt_lengths[:, None]
        if isinstance(at, str):
            inside = self.positions < lengths
            return real & (inside if at == "prompt" else ~inside)
        wanted = torch.as_tensor([at] if isinstance(at, int) else at, device=self.positions.device).reshape(1, -1)
        absolute = torch.where(wanted < 0, wanted + lengths, wanted.expand(lengths.shape[0], -1))  # [batch, k]
        return real & (self.positions[:, :, None] == absolute[:, None, :]).any(-1)

    def _given(self, at: torch.Tensor) -> torch.Tensor:
        index = self.positions.clamp(0, at.shape[1] - 1)
        inside = (self.positions >= 0) & (self.positions < at.shape[1])
        return at.to(index.device).expand(index.shape[0], -1).gather(1, index) & inside


def apply(edit: Edit, x: torch.Tensor, layout: Layout) -> torch.Tensor:
    """The edited copy of ``x`` [batch, pos, d] (or [batch, pos, head, d_head]); ``x`` itself is untouched.

    Raises:
        UsageError: the value's shape does not fit the site.
    """
    mask = layout.mask(edit.at)
    if not bool(mask.any()):
        return x
    view = x if edit.head is None else x[:, :, edit.head]
    new = torch.where(_spread(mask, view), _changed(edit, view, layout), view)
    if edit.head is None:
        return new
    whole = x.clone()
    whole[:, :, edit.head] = new
    return whole


def _changed(edit: Edit, x: torch.Tensor, layout: Layout) -> torch.Tensor:
    if edit.change is not None:
        return edit.change(x, layout).to(x.dtype)
    value = edit.value.to(device=x.device, dtype=x.dtype)
    try:
        if edit.op == "scale":
            return x * value
        if edit.op == "project_out":
            return x - (x * value).sum(-1, keepdim=True) * value
        if edit.op == "patch":
            return _patched(value, x, layout)
        vector = value[:, None] if 2 <= value.dim() == x.dim() - 1 else value  # [batch, d] -> [batch, 1, d]
        return x + vector if edit.op == "add" else vector.expand_as(x)
    except RuntimeError as error:
        raise UsageError(
            f"A value of shape {list(edit.value.shape)} does not fit {edit.site}, which is {list(x.shape)} here.",
            "Give one vector of the site's last dimension, or one per row of the batch.",
        ) from error


def _patched(source: torch.Tensor, x: torch.Tensor, layout: Layout) -> torch.Tensor:
    source = source.expand(x.shape[0], *source.shape[1:])
    index = layout.positions.clamp(0, source.shape[1] - 1)  # [batch, pos]
    rows = torch.arange(x.shape[0], device=x.device)[:, None]
    inside = (layout.positions >= 0) & (layout.positions < source.shape[1])
    return torch.where(_spread(inside, x), source[rows, index], x)


def _spread(mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return mask.reshape(*mask.shape, *([1] * (x.dim() - 2)))


def _site(site: str | Site) -> Site:
    return Site.parse(site) if isinstance(site, str) else site
