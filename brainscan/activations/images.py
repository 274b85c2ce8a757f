"""Images from a folder: found, labelled, opened with suspicion, cropped as the model wants them.

A picture is hostile until it is pixels: the format is taken from its content, the size is read before
anything is unpacked, and what cannot be used is skipped with one line that says why.
"""

from __future__ import annotations

import csv
import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainscan.core.errors import InputError, MissingExtra
from brainscan.core.visible import visible

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]
"""[3, size, size]: red, green, blue."""

MOST_PIXELS = 64_000_000
"""A picture with more pixels is refused before it is unpacked."""
MOST_BYTES = 64_000_000
_ENDINGS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".png": "PNG", ".webp": "WEBP", ".gif": "GIF", ".bmp": "BMP",
    ".tif": "TIFF", ".tiff": "TIFF", ".ppm": "PPM",
}  # fmt: skip
_CONVERTED = {
    "L": "grey",
    "1": "grey",
    "LA": "grey",
    "P": "palette",
    "PA": "palette",
    "RGBA": "transparency",
    "RGBX": "RGB",
}
"""Modes with an agreed way to RGB. Transparency is laid on white."""
_AHEAD = 4


class Skipped(Exception):
    """This picture cannot be used; the text says why in a few words."""


@dataclass(frozen=True)
class ImageFile:
    """One picture of a folder."""

    name: str
    """Path below the folder, with forward slashes."""
    path: Path
    label: str = ""
    """Empty when it has none: it then counts neither for nor against any label."""
    caption: str = ""


@dataclass(frozen=True)
class Skip:
    """A picture that was left out."""

    name: str
    why: str

    def __str__(self) -> str:
        return visible(f"{self.name}: {self.why}", keep="", limit=300)


@dataclass(frozen=True)
class Framing:
    """How a picture is cut: the short side becomes ``resize``, the centre of ``size`` is kept."""

    size: int
    resize: int


@dataclass(frozen=True)
class Loaded:
    """Pictures ready to run, and those that were left out since the last ones."""

    files: tuple[ImageFile, ...]
    pixels: Pixels  # [batch, 3, size, size]
    skipped: tuple[Skip, ...]
    converted: tuple[str, ...]
    """What was converted to RGB, one word a picture: "grey", "palette", "transparency"."""


def find_images(folder: Path, labels: Path | None = None) -> tuple[ImageFile, ...]:
    """Every file below a folder that calls itself a picture, in the order of names.

    Labels come from the CSV (columns ``file`` and ``label``, and ``caption`` if there is one), else from the first
    sub-folder of each file. A caption is the first line of a ``.txt`` of the same name beside the picture.

    Raises:
        InputError: there is no such folder, no picture in it, or the CSV cannot be read or names none of them.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"There is no folder {visible(str(folder), keep='')}.", "Name a folder of pictures.")
    paths = sorted(
        Path(base) / name
        for base, _, names in os.walk(root)
        for name in names
        if Path(name).suffix.lower() in _ENDINGS and not name.startswith(".")
    )
    if not paths:
        raise InputError(
            f"{visible(str(folder), keep='')} holds no picture.", f"Known endings: {', '.join(sorted(_ENDINGS))}."
        )
    told = _read_csv(labels) if labels else {}
    found = tuple(_labelled(path, root, told if labels else None) for path in paths)
    if labels and not any(image.label for image in found):
        raise InputError(
            f"{labels} names none of the pictures in {visible(str(folder), keep='')}.",
            "Its column file must hold paths below that folder.",
        )
    return found


def _labelled(path: Path, root: Path, told: dict[str, tuple[str, str]] | None) -> ImageFile:
    name = path.relative_to(root).as_posix()
    if told is not None:
        label, caption = told.get(name, ("", ""))
    else:
        parts = path.relative_to(root).parts
        label, caption = (parts[0] if len(parts) > 1 else ""), ""
    return ImageFile(name, path, label, caption or _caption(path))


def _caption(path: Path) -> str:
    beside = path.with_suffix(".txt")
    try:
        with beside.open(encoding="utf-8", errors="replace") as stream:
            return stream.readline(500).strip()
    except OSError:
        return ""


def _read_csv(path: Path) -> dict[str, tuple[str, str]]:
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
        return {
            row["file"].strip().removeprefix("./"): (row["label"].strip(), (row.get("caption") or "").strip())
            for row in rows
        }
    except (OSError, UnicodeDecodeError, KeyError, AttributeError, csv.Error) as error:
        raise InputError(
            f"The labels in {path} cannot be read: {visible(str(error), keep='', limit=200)}.",
            "Write a UTF-8 CSV with a header row: file,label or file,label,caption.",
        ) from error


def read_pixels(image: ImageFile, framing: Framing) -> tuple[Pixels, str]:
    """The pixels of one picture, and what it was converted from ("" for RGB).

    Raises:
        Skipped: it is empty, huge, animated, broken, no picture, not what its ending says, or in other colours than RGB.
    """
    pil = _pillow()
    status = _stat(image.path)
    if not stat.S_ISREG(status.st_mode):
        raise Skipped("it is not a plain file")
    if status.st_size == 0:
        raise Skipped("it is empty (0 bytes)")
    if status.st_size > MOST_BYTES:
        raise Skipped(f"it has {status.st_size / 1e6:.0f} MB, more than {MOST_BYTES / 1e6:.0f}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pil.open(image.path, formats=tuple(sorted(set(_ENDINGS.values())))) as opened:
                return _opened(opened, image.path.suffix.lower(), framing)
    except Skipped:
        raise
    except pil.DecompressionBombError as error:
        raise Skipped("it would unpack to more pixels than any photograph has") from error
    except Exception as error:  # decoders fail in as many ways as a file can be broken
        unknown = type(error).__name__ == "UnidentifiedImageError"
        raise Skipped("it is no picture of a known kind" if unknown else "it is broken or cut short") from error


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise Skipped(f"it cannot be read ({error.strerror})") from error


def _opened(picture: Image, ending: str, framing: Framing) -> tuple[Pixels, str]:
    """Everything is asked of the header before the pixels are unpacked."""
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise Skipped(f"it has {width} x {height} pixels, more than {MOST_PIXELS // 10**6} million")
    if picture.format != _ENDINGS[ending]:
        raise Skipped(f"its name ends in {ending} but it holds {picture.format}")
    if getattr(picture, "n_frames", 1) > 1:
        raise Skipped(f"it is animated ({picture.n_frames} frames)")  # pyright: ignore[reportAttributeAccessIssue]
    if picture.mode != "RGB" and picture.mode not in _CONVERTED:
        raise Skipped(f"its colours are {picture.mode}, not RGB")
    from_mode = "" if picture.mode == "RGB" else _CONVERTED[picture.mode]
    short = min(width, height)
    picture.draft("RGB", (2 * framing.resize, 2 * framing.resize))  # JPEG only: skips detail that resizing would drop
    scale = min(picture.size) / short
    side = short * framing.size / framing.resize * scale
    left, top = (picture.size[0] - side) / 2, (picture.size[1] - side) / 2
    plain = _on_white(picture)
    cut = plain.resize((framing.size, framing.size), _pillow().Resampling.BICUBIC, (left, top, left + side, top + side))
    return np.ascontiguousarray(np.asarray(cut, dtype=np.uint8).transpose(2, 0, 1)), from_mode


def _on_white(picture: Image) -> Image:
    clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if not clear:
        return picture.convert("RGB")
    whole = picture.convert("RGBA")
    paper = _pillow().new("RGBA", whole.size, "white")
    return _pillow().alpha_composite(paper, whole).convert("RGB")


def load_images(files: Sequence[ImageFile], framing: Framing, *, batch: int = 32) -> Iterator[Loaded]:
    """Pictures in batches, in order, read ahead by a thread while the model runs; what was skipped rides along."""
    chunks = [files[i : i + batch] for i in range(0, len(files), batch)]
    with ThreadPoolExecutor(1, thread_name_prefix="pictures") as pool:
        waiting = [pool.submit(_load, chunk, framing) for chunk in chunks[:_AHEAD]]
        for number in range(len(chunks)):
            loaded = waiting.pop(0).result()
            if number + _AHEAD < len(chunks):
                waiting.append(pool.submit(_load, chunks[number + _AHEAD], framing))
            yield loaded


def _load(files: Sequence[ImageFile], framing: Framing) -> Loaded:
    kept: list[ImageFile] = []
    pixels: list[Pixels] = []
    skipped: list[Skip] = []
    converted: list[str] = []
    for image in files:
        try:
            read, was = read_pixels(image, framing)
        except Skipped as why:
            skipped.append(Skip(image.name, str(why)))
            continue
        kept.append(image)
        pixels.append(read)
        converted += [was] if was else []
    stacked = np.stack(pixels) if pixels else np.zeros((0, 3, framing.size, framing.size), np.uint8)
    return Loaded(tuple(kept), stacked, tuple(skipped), tuple(converted))


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("pillow", "vision") from error
    return Image
