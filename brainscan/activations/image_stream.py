"""A stream of a vision model's activations for the trainer of dictionaries: one row a place, places of many images mixed.

A window of images runs, its places are shuffled by a seed, batches are handed out; a window is a function
of where it begins, so a stream resumes with the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch

from brainscan.activations.images import Framing, ImageFile, load_images
from brainscan.activations.stream import ActivationBatch
from brainscan.core.address import Site
from brainscan.core.errors import InputError
from brainscan.core.evidence import Record
from brainscan.core.provenance import sha256_of_json
from brainscan.subject.vision.subject import VisionSubject


class ImageStreamState(Record):
    """Where a stream stands."""

    window: int = 0
    """Windows that were used up."""
    batch: int = 0
    """Batches of the present window that were handed out."""


class ImageStream:
    """Activations at sites of equally many places.

    Args:
        files: images; those that cannot be used are left out.
        batch: places a batch.
        window: images that are mixed together.
        passes: times that all images are read.

    Raises:
        SiteUnavailable: the model lacks a site.
    """

    def __init__(
        self,
        subject: VisionSubject,
        files: Sequence[ImageFile],
        sites: Sequence[Site],
        *,
        batch: int = 1024,
        window: int = 128,
        passes: int = 1,
        seed: int = 0,
        state: ImageStreamState | None = None,
    ) -> None:
        self.subject, self.files, self.sites = subject, tuple(files), tuple(subject.check(site) for site in sites)
        self.batch, self.window, self.passes, self.seed = batch, min(window, len(self.files)), passes, seed
        self.widths: Mapping[Site, int] = {site: subject.width(site) for site in self.sites}
        names = [image.name for image in self.files]
        self.identity = sha256_of_json(
            [subject.card.weights_sha256, names, list(map(str, self.sites)), batch, self.window, seed]
        )
        self.at = state or ImageStreamState()

    def __iter__(self) -> Iterator[ActivationBatch]:
        per_pass = -(-len(self.files) // self.window)
        while self.at.window < per_pass * self.passes:
            rows = self._window(*divmod(self.at.window, per_pass))
            count = len(next(iter(rows.values()))) // self.batch
            while self.at.batch < count:
                part = slice(self.at.batch * self.batch, (self.at.batch + 1) * self.batch)
                self.at = ImageStreamState(window=self.at.window, batch=self.at.batch + 1)
                values = {site: x[part] for site, x in rows.items()}
                yield ActivationBatch(values, torch.zeros(self.batch, dtype=torch.int32))
            self.at = ImageStreamState(window=self.at.window + 1)

    def state(self) -> ImageStreamState:
        """Where it stands."""
        return self.at

    def _window(self, turn: int, number: int) -> dict[Site, torch.Tensor]:
        """Shuffled rows [place, channel] of one window's images."""
        order = np.random.default_rng([self.seed, turn]).permutation(len(self.files))
        chosen = [self.files[i] for i in order[number * self.window : (number + 1) * self.window]]
        kept: dict[Site, list[torch.Tensor]] = {site: [] for site in self.sites}
        framing = Framing(self.subject.preparation.size, self.subject.preparation.resize)
        for loaded in load_images(chosen, framing):
            if not loaded.files:
                continue
            images = self.subject.prepare(torch.from_numpy(loaded.pixels)).contiguous(memory_format=torch.channels_last)
            self.subject.inspect(
                images,
                dict.fromkeys(self.sites, lambda site, x: kept[site].append(x.flatten(0, 1).float().cpu().clone())),
            )
        if not all(kept.values()):
            raise InputError(
                "A window of images holds none that can be used.", "Give other images, or a larger window."
            )
        rows = {site: torch.cat(parts) for site, parts in kept.items()}
        mixed = torch.randperm(
            len(next(iter(rows.values()))),
            generator=torch.Generator().manual_seed(self.seed * 1_000_003 + turn * 1009 + number),
        )
        return {site: x[mixed] for site, x in rows.items()}
