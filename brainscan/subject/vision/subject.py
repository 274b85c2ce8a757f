"""An image classifier under examination: images in, activations and logits out.

It speaks the same addresses as a language subject: ``channel.45`` and ``channel_pre.45`` are what the
45th map computes after and before its non-linearity, ``resid_post.3`` is what leaves block 3. A
position is a place of the map, counted row by row. This file refuses to know files and labels.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from brainscan.core.address import Site
from brainscan.core.errors import SiteUnavailable, UsageError
from brainscan.core.evidence import Finite, Record
from brainscan.core.provenance import SubjectCard
from brainscan.subject.edit import Edit
from brainscan.subject.hooks import Collector, Place, Port, Stopped, touched
from brainscan.subject.vision.structure import Layer, Structure, read_structure

POINTS = ("channel_pre", "channel", "resid_post")
_CHANNEL = re.compile(r"(?P<where>[\w.]+)/(?P<channel>\d+)")


class Preparation(Record):
    """How a picture becomes the model's input: resized, cropped in the centre, (rgb - mean) / std."""

    size: int
    """Rows and columns of the input."""
    resize: int
    """Short side after resizing, at least ``size``; the centre is cropped."""
    mean: tuple[Finite, Finite, Finite]
    """Of red, green, blue, on 0..255."""
    std: tuple[Finite, Finite, Finite]


@dataclass(frozen=True, order=True)
class Channel:
    """One channel of one site, written ``channel.45/320``."""

    site: Site
    index: int

    def __str__(self) -> str:
        return f"{self.site}/{self.index}"


class VisionSubject:
    """An image classifier.

    Args:
        model: any module that maps images [batch, 3, size, size] to logits, in eval mode.
        card: who it is.
        preparation: how pictures become input.
        classes: names of its classes, in order; may be empty.
        dtype: of its weights.

    Raises:
        UnknownFamily: no channels were found in it.
    """

    def __init__(
        self,
        model: nn.Module,
        card: SubjectCard,
        preparation: Preparation,
        classes: Sequence[str] = (),
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.model, self.card, self.preparation, self.classes = model, card, preparation, tuple(classes)
        size = preparation.size
        self.structure: Structure = read_structure(
            model, torch.zeros(1, 3, size, size, device=self.device, dtype=dtype)
        )

    # --- what it is -----------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.model.parameters()).device

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its convolutions and linear maps, in forward order."""
        return self.structure.layers

    def unit_sites(self) -> tuple[Site, ...]:
        """For every layer but the classifier, the point that later layers read."""
        return tuple(Site(layer.point, layer.number) for layer in self.layers[:-1])

    def class_name(self, number: int) -> str:
        """The name of a class, or "class 7"."""
        return self.classes[number] if number < len(self.classes) else f"class {number}"

    # --- sites ----------------------------------------------------------------------------

    def check(self, site: str | Site) -> Site:
        """The site, if this model can offer it.

        Raises:
            UnknownSite: the spelling is not an address.
            SiteUnavailable: this model has no such place; the message says why.
        """
        site = Site.parse(site) if isinstance(site, str) else site
        count = len(self.structure.blocks) if site.point == "resid_post" else len(self.layers)
        if site.point not in POINTS or not count:
            why = "it has no blocks" if site.point == "resid_post" else "it is a vision model"
            raise SiteUnavailable(
                f"{self.card.name} cannot offer {site}: {why}.",
                "It offers channel_pre, channel and, with blocks, resid_post.",
            )
        if site.layer is None or not 0 <= site.layer < count:
            raise SiteUnavailable(f"{self.card.name} has no {site}.", f"Numbers go from 0 to {count - 1} there.")
        if site.point == "channel" and self.layers[site.layer].post is None:
            raise SiteUnavailable(
                f"{self.card.name} cannot offer {site}: no non-linearity follows {self.layers[site.layer].path} directly.",
                f"Use channel_pre.{site.layer}.",
            )
        return site

    def channel(self, text: str) -> Channel:
        """Read ``channel.45/320`` or a module path with a number, ``blocks.15.expand/320``.

        Raises:
            UsageError: it names no channel of this model.
        """
        found = _CHANNEL.fullmatch(text.strip())
        where = found["where"] if found else ""
        paths = {layer.path: layer for layer in self.layers} | {
            layer.path.removesuffix(".conv"): layer for layer in self.layers
        }
        if found and where in paths:
            channel = Channel(Site(paths[where].point, paths[where].number), int(found["channel"]))
        elif found and where.partition(".")[0] in POINTS:
            channel = Channel(self.check(where), int(found["channel"]))
        else:
            raise UsageError(f"{text!r} names no channel.", "Write SITE/NUMBER, for example channel.45/320.")
        if channel.index >= self.width(channel.site):
            raise UsageError(f"{channel.site} has {self.width(channel.site)} channels.", "Their numbers begin with 0.")
        return channel

    def width(self, site: Site) -> int:
        """Channels at a site."""
        if site.point != "resid_post":
            return self.layers[site.layer or 0].channels
        found: list[int] = []
        self.inspect(self.blank(1), {site: lambda _, x: found.append(int(x.shape[-1]))})
        return found[0]

    def describe(self, site: Site) -> str:
        """Where a site is, in words: its module path, or its block."""
        return f"block {site.layer}" if site.point == "resid_post" else self.layers[site.layer or 0].path

    def port(self, site: Site) -> Port:
        """The module port behind a site that was checked."""
        if site.point == "resid_post":
            return self.structure.blocks[site.layer or 0]
        layer = self.layers[site.layer or 0]
        return layer.pre if site.point == "channel_pre" or layer.post is None else layer.post

    def forward_order(self, site: Site) -> int:
        """Sort key: when in the forward pass a site is reached."""
        port = self.port(site)
        return self.structure.order[id(port.module), port.turn[0]]

    # --- running --------------------------------------------------------------------------

    def blank(self, count: int) -> torch.Tensor:
        """``count`` images of the mean colour."""
        size = self.preparation.size
        return torch.zeros(count, 3, size, size, device=self.device)

    def prepare(self, pixels: torch.Tensor) -> torch.Tensor:
        """uint8 pixels [batch, 3, size, size] -> input."""
        mean = torch.tensor(self.preparation.mean, device=self.device).reshape(1, 3, 1, 1)
        std = torch.tensor(self.preparation.std, device=self.device).reshape(1, 3, 1, 1)
        return (pixels.to(self.device).float() - mean) / std

    def inspect(
        self, images: torch.Tensor, collect: Mapping[Site, Collector], edits: Sequence[Edit] = (), *, grad: bool = False
    ) -> None:
        """Run, hand each asked site [batch, pos, channel] to its collector, and stop after the last one.

        A collector must copy what it keeps: the tensor may be overwritten later in the pass.
        With ``grad`` it gets live tensors, connected to ``images`` and to the values of the edits.
        """
        with self._ready(collect, edits, stop=True, grad=grad), contextlib.suppress(Stopped):
            self.model(images)

    def logits(
        self,
        images: torch.Tensor,
        *,
        edits: Sequence[Edit] = (),
        collect: Mapping[Site, Collector] | None = None,
        grad: bool = False,
    ) -> torch.Tensor:
        """Logits [batch, class]."""
        with self._ready(collect or {}, edits, stop=False, grad=grad):
            out: Any = self.model(images)
        return out if isinstance(out, torch.Tensor) else out.logits

    @contextlib.contextmanager
    def _ready(
        self, collect: Mapping[Site, Collector], edits: Sequence[Edit], *, stop: bool, grad: bool
    ) -> Iterator[None]:
        sites = {self.check(site) for site in {*collect, *(edit.site for edit in edits)}}
        places = [Place(site, self.port(site)) for site in sorted(sites, key=self.forward_order)]
        with torch.set_grad_enabled(grad), touched(places, None, collect=collect, edits=edits, stop=stop):
            yield
