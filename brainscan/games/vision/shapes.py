"""Drawn shapes: pictures of one coloured shape on a noisy ground, in any number, from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHAPES = ("disc", "square", "triangle", "cross", "ring", "bars")
SIZE = 32

Pictures = NDArray[np.uint8]
"""[picture, 3, SIZE, SIZE]"""


@dataclass(frozen=True)
class Drawn:
    """Pictures with the number of the shape that each shows."""

    pixels: Pictures
    labels: NDArray[np.int64]


def draw_shapes(count: int, seed: int) -> Drawn:
    """``count`` pictures, every shape equally often; place, size, colours and noise are random."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(SHAPES))
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    pixels = np.empty((count, 3, SIZE, SIZE), np.float32)
    for i, label in enumerate(labels):
        radius = rng.uniform(5, 9)
        centre = rng.uniform(radius + 1, SIZE - radius - 1, 2)
        inside = _inside(SHAPES[label], (rows - centre[0]) / radius, (columns - centre[1]) / radius)
        ground = rng.uniform(30, 225, 3)
        ink = (ground + rng.uniform(80, 150, 3) * rng.choice([-1, 1], 3)) % 256
        pixels[i] = np.where(inside, ink[:, None, None], ground[:, None, None]) + rng.normal(0, 12, (3, SIZE, SIZE))
    return Drawn(np.clip(pixels, 0, 255).astype(np.uint8), labels)


def _inside(shape: str, y: NDArray[np.float32], x: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a shape of radius 1 around the origin is."""
    far = np.hypot(x, y)
    if shape == "disc":
        return far < 1
    if shape == "ring":
        return (far < 1) & (far > 0.6)
    if shape == "square":
        return np.maximum(abs(x), abs(y)) < 0.85
    if shape == "triangle":
        return (y < 0.8) & (y > 2 * abs(x) - 0.9)
    if shape == "cross":
        return (np.minimum(abs(x), abs(y)) < 0.3) & (np.maximum(abs(x), abs(y)) < 1)
    return (np.maximum(abs(x), abs(y)) < 0.95) & (np.floor((y + 1) * 2.5) % 2 == 0)
