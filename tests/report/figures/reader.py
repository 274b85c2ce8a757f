"""A second opinion on our PNG files: a strict reader of 8-bit palette pictures without filters."""

import struct
import zlib

import numpy as np


def read_png(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Palette indices [row, column] and the palette [colour, RGBA]; every checksum is verified."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    parts: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + body),)
        parts[kind] = body
        at += 12 + size
    assert next(iter(parts)) == b"IHDR"
    assert list(parts)[-1] == b"IEND"
    width, height, *form = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert form == [8, 3, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    colours = np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3)
    alpha = np.full(len(colours), 255, np.uint8)
    alpha[: len(parts[b"tRNS"])] = np.frombuffer(parts[b"tRNS"], np.uint8)
    return rows[:, 1:], np.column_stack([colours, alpha])
