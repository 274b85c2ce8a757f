"""The pictures of a survey again: reopened by name, prepared, run for one channel, cropped, drawn on.

Crops are receptive fields, computed from the network; where a position sees the whole picture, the whole
picture is shown. The outline is where the channel is above half of its largest value in that picture.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.activations.images import Framing, ImageFile, Pixels, Skipped, read_pixels
from brainscan.core.errors import InputError
from brainscan.features.channels.survey import framing_of
from brainscan.features.channels.table import ChannelTable
from brainscan.subject.vision.field import Field, receptive_field
from brainscan.subject.vision.subject import Channel, VisionSubject

THUMBNAIL = 112
"""Pixels on a side of a picture on a page."""
_QUALITY = 70


@dataclass(frozen=True)
class ChannelExample:
    """One picture with what the channel does on it."""

    name: str
    label: str
    value: float
    """Peak over positions."""
    picture: bytes
    """WebP."""


def reopen(table: ChannelTable, rows: Sequence[int], framing: Framing, folder: Path | None = None) -> Pixels:
    """Pixels [row, 3, size, size] of images of a survey.

    Raises:
        InputError: an image is no longer there, or no longer the same kind of file.
    """
    root = folder or Path(table.about.folder)
    found = []
    for row in rows:
        name = table.about.images[row].name
        try:
            found.append(read_pixels(ImageFile(name, root / name), framing)[0])
        except Skipped as why:
            raise InputError(
                f"{root / name} cannot be read again: {why}.", "Put the pictures back, or scan again."
            ) from why
    return np.stack(found) if found else np.zeros((0, 3, framing.size, framing.size), np.uint8)


def prepared(subject: VisionSubject, pixels: Pixels) -> torch.Tensor:
    """Pixels -> input, laid out as the model is."""
    return subject.prepare(torch.from_numpy(pixels)).contiguous(memory_format=torch.channels_last)


def strongest_rows(table: ChannelTable, column: int, count: int) -> list[int]:
    """Images with the highest peak, highest first."""
    return [int(i) for i in np.argsort(-np.asarray(table.peaks[:, column]), kind="stable")[:count]]


def stratified_rows(table: ChannelTable, column: int, bins: int = 4, each: int = 2, seed: int = 0) -> list[int]:
    """Images from equal slices of all, from the strongest slice to the weakest: the strongest alone flatter a label."""
    rng = np.random.default_rng([seed, column])
    slices = np.array_split(np.argsort(-np.asarray(table.peaks[:, column]), kind="stable"), bins)
    return [int(i) for part in slices for i in np.sort(rng.choice(part, min(each, len(part)), replace=False))]


def examples(
    subject: VisionSubject, table: ChannelTable, channel: Channel, rows: Sequence[int], folder: Path | None = None
) -> tuple[ChannelExample, ...]:
    """Crops of these images around where the channel is strongest."""
    pixels = reopen(table, rows, framing_of(subject), folder)
    if not len(pixels):
        return ()
    maps: list[torch.Tensor] = []
    subject.inspect(prepared(subject, pixels), {channel.site: lambda _, x: maps.append(x[..., channel.index].clone())})
    field = receptive_field(subject, channel.site)
    found = []
    for row, picture, activation in zip(rows, pixels, maps[0], strict=True):
        image = table.about.images[row]
        drawn = webp(cropped(picture, activation.float().cpu().numpy(), field))
        found.append(ChannelExample(image.name, image.label, float(activation.max()), drawn))
    return tuple(found)


def cropped(picture: Pixels, activation: NDArray[np.float32], field: Field) -> NDArray[np.uint8]:
    """[row, column, 3] of the receptive field of the strongest position, with the outline where all is seen."""
    image = picture.transpose(1, 2, 0).copy()
    if field.whole or field.rows * field.columns != len(activation):
        if len(activation) == field.rows * field.columns and len(activation) > 1:
            outline(image, activation.reshape(field.rows, field.columns))
        return image
    left, top, right, bottom = field.box(int(activation.argmax()))
    return image[top:bottom, left:right]


def outline(image: NDArray[np.uint8], activation: NDArray[np.float32]) -> None:
    """Draw, in place, a light line with a dark edge around where ``activation`` [row, column] is above half its largest."""
    from PIL import Image

    size = image.shape[:2]
    peak = float(activation.max())
    if peak <= 0:
        return
    grown = Image.fromarray((255 * np.clip(activation / peak, 0, 1)).astype(np.uint8)).resize(
        size[::-1], Image.Resampling.BILINEAR
    )
    inside = np.asarray(grown) >= 127
    edge = inside & ~_eroded(inside, 2)
    image[edge & ~_eroded(inside, 1)] = 20
    image[edge & _eroded(inside, 1)] = 245


def _eroded(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Without its outermost ``by`` pixels; beyond the picture counts as inside."""
    for _ in range(by):
        padded = np.pad(mask, 1, constant_values=True)
        mask = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask


def webp(image: NDArray[np.uint8], size: int = THUMBNAIL) -> bytes:
    """A thumbnail of [row, column, 3]."""
    from PIL import Image

    sink = io.BytesIO()
    Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS).save(sink, "WEBP", quality=_QUALITY)
    return sink.getvalue()
