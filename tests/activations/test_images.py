"""Images: labels, cuts, and everything that a folder of strangers' pictures can hold."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from brainscan.activations.images import (
    MOST_PIXELS,
    Framing,
    ImageFile,
    Skipped,
    find_images,
    load_images,
    read_pixels,
)
from brainscan.core.errors import InputError
from tests.vision import paint

FRAMING = Framing(size=32, resize=36)


def read(path: Path) -> str:
    """Why a file was skipped; "" when it was read."""
    try:
        pixels, _ = read_pixels(ImageFile(path.name, path), FRAMING)
    except Skipped as why:
        return str(why)
    assert pixels.shape == (3, 32, 32)
    assert pixels.dtype == np.uint8
    return ""


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"\0" * 1000)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_every_kind_of_trouble_gets_one_line_and_is_skipped(tmp_path: Path) -> None:
    good = Image.new("RGB", (40, 40), "red")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (tmp_path / "large.png").write_bytes(bomb(9_000, 9_000))
    good.save(tmp_path / "moves.gif", save_all=True, append_images=[Image.new("RGB", (40, 40), "blue")])
    good.convert("CMYK").save(tmp_path / "print.jpg")
    Image.fromarray(np.zeros((9, 9), np.uint16)).save(tmp_path / "deep.png")
    good.save(tmp_path / "lies.png", "JPEG")
    (tmp_path / "text.jpg").write_text("no picture")
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8)).save(whole, "PNG")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:-9000])
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing.png")
    expected = {
        "empty.png": "empty", "bomb.png": "pixels", "large.png": "pixels", "moves.gif": "animated", "print.jpg": "CMYK",
        "deep.png": "I;16", "lies.png": "holds JPEG", "text.jpg": "no picture", "cut.png": "broken", "pipe.png": "plain file",
        "gone.png": "cannot be read",
    }  # fmt: skip
    files = find_images(tmp_path)
    assert {image.name for image in files} == set(expected)
    skipped = {skip.name: str(skip) for loaded in load_images(files, FRAMING, batch=4) for skip in loaded.skipped}
    for name, words in expected.items():
        assert words in skipped[name]
        assert "\n" not in skipped[name]


def test_grey_palette_and_transparent_pictures_become_rgb_and_are_counted(tmp_path: Path) -> None:
    base = Image.new("RGB", (40, 40), (200, 10, 10))
    base.convert("L").save(tmp_path / "grey.png")
    base.convert("P").save(tmp_path / "palette.png")
    base.convert("RGBA").save(tmp_path / "clear.png")
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "glass.png")
    (loaded,) = load_images(find_images(tmp_path), FRAMING)
    assert sorted(loaded.converted) == ["grey", "palette", "transparency", "transparency"]
    glass = loaded.pixels[[image.name for image in loaded.files].index("glass.png")]
    assert (glass == 255).all()


def test_a_long_strip_is_cut_before_it_is_resized(tmp_path: Path) -> None:
    Image.new("RGB", (60_000, 1), "red").save(tmp_path / "strip.png")
    assert read(tmp_path / "strip.png") == ""
    assert MOST_PIXELS > 60_000


def test_the_cut_is_the_centre_of_the_resized_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (9, 12, 3), np.uint8)).resize((400, 300), Image.Resampling.BICUBIC)
    picture.save(tmp_path / "a.png")
    ours = read_pixels(ImageFile("a", tmp_path / "a.png"), Framing(224, 256))[0].astype(int)
    resized = picture.resize((341, 256), Image.Resampling.BICUBIC).crop((58, 16, 282, 240))
    theirs = np.asarray(resized, dtype=int).transpose(2, 0, 1)
    assert np.abs(ours - theirs).mean() < 4


def test_labels_come_from_folders_or_a_csv_and_captions_from_texts(tmp_path: Path) -> None:
    for name in ("cars/a.png", "cars/b.png", "dogs/c.png", "d.png"):
        paint(tmp_path / name, (9, 9, 9))
    (tmp_path / "cars/a.txt").write_text("A small red car\nUn auto")
    images = {image.name: image for image in find_images(tmp_path)}
    assert {name: image.label for name, image in images.items()} == {
        "cars/a.png": "cars", "cars/b.png": "cars", "dogs/c.png": "dogs", "d.png": "",
    }  # fmt: skip
    assert images["cars/a.png"].caption == "A small red car"
    told = tmp_path / "labels.csv"
    told.write_text("file,label\ncars/a.png,red\n")
    assert [image.label for image in find_images(tmp_path, told)] == ["red", "", "", ""]


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "file,label\nelsewhere.png,x\n", "\xff\xfe"])
def test_labels_that_cannot_be_read_are_refused(tmp_path: Path, content: str) -> None:
    paint(tmp_path / "a.png", (9, 9, 9))
    (tmp_path / "labels.csv").write_text(content, encoding="latin-1")
    with pytest.raises(InputError):
        find_images(tmp_path, tmp_path / "labels.csv")


def test_no_folder_and_no_pictures_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path):
        with pytest.raises(InputError):
            find_images(folder)


def test_batches_come_in_order_and_carry_everything(tmp_path: Path) -> None:
    for i in range(11):
        paint(tmp_path / f"{i:02d}.png", (i, i, i), seed=i, size=20)
    (tmp_path / "05.png").write_bytes(b"")
    loaded = list(load_images(find_images(tmp_path), FRAMING, batch=3))
    assert [image.name for part in loaded for image in part.files] == [f"{i:02d}.png" for i in range(11) if i != 5]
    assert sum(len(part.skipped) for part in loaded) == 1


@settings(max_examples=60, deadline=None)
@given(
    junk=st.binary(max_size=200),
    kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"]),
    cut=st.integers(0, 300),
)
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, junk: bytes, kind: str, cut: int) -> None:
    sink = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(sink, kind)
    path = tmp_path_factory.mktemp("junk") / {"JPEG": "a.jpg", "TIFF": "a.tif"}.get(kind, f"a.{kind.lower()}")
    path.write_bytes(sink.getvalue()[:cut] + junk + sink.getvalue()[cut:])
    why = read(path)
    assert "\n" not in why
