"""An indexed-colour PNG, one pixel per cell, written with the standard library."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]


def indexed_png(cells: NDArray[np.uint8], palette: Sequence[Colour]) -> bytes:
    """PNG bytes of ``cells`` [row, column] of palette indices; index 0 is drawn transparent.

    Raises:
        ValueError: more than 256 colours, no cells, or an index outside the palette.
    """
    if cells.ndim != 2 or 0 in cells.shape or len(palette) > 256 or int(cells.max()) >= len(palette):
        raise ValueError("An indexed picture needs cells [row, column] within a palette of at most 256 colours.")
    height, width = cells.shape
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(cells, dtype=np.uint8))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),  # 8 bits, palette
            _chunk(b"PLTE", bytes(value for colour in palette for value in colour)),
            _chunk(b"tRNS", b"\0"),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def data_uri(png: bytes) -> str:
    """The picture as an address that needs no network."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
