"""Colour ramps, and the step of a ramp that stands for a value.

Diverging: blue − through neutral to orange +. Sequential: paper to deep blue. Each has a light and a dark dress
whose neutral end recedes into the page. Contrast and colour-vision distances were computed for these stops.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.report.figures.png import Colour

STEPS = 64
"""Colours between the ends of a drawn ramp; index 0 of a palette is kept for cells without a value."""

_CLIP_Z = 6.0


@dataclass(frozen=True)
class Ramp:
    """One ramp in both dresses, as nine stops each."""

    name: str
    light: tuple[str, ...]
    dark: tuple[str, ...]

    def palette(self, *, dark: bool) -> list[Colour]:
        """A transparent entry, then STEPS + 1 colours interpolated between the nine stops."""
        stops = np.array([_rgb(stop) for stop in (self.dark if dark else self.light)], dtype=float)
        at = np.linspace(0, len(stops) - 1, STEPS + 1)
        channels = [np.interp(at, np.arange(len(stops)), stops[:, i]).round().astype(int) for i in range(3)]
        return [(0, 0, 0), *((int(r), int(g), int(b)) for r, g, b in zip(*channels, strict=True))]


DIVERGING = Ramp(
    "diverging",
    light=("#0A4A7A", "#2F79B5", "#7DB1DA", "#C6DEF0", "#F5F5F3", "#F6D5B5", "#E8A15B", "#C4640C", "#7D3600"),
    dark=("#8FCBFF", "#5C9FDB", "#3A73A6", "#2A4864", "#20262E", "#5A4024", "#94601F", "#D08A2E", "#FFC06B"),
)
SEQUENTIAL = Ramp(
    "sequential",
    light=("#F2F6FA", "#D9E7F3", "#B5D0E8", "#86B4DA", "#5595C8", "#2D76B2", "#155A95", "#0B4272", "#062B4D"),
    dark=("#1A222B", "#1D3246", "#214663", "#285D84", "#3477A5", "#4A93C4", "#6EB0DC", "#9ACCEF", "#CBE6FB"),
)


@dataclass(frozen=True)
class Scale:
    """Which ramp, from where to where, and how many values lie beyond."""

    ramp: Ramp
    lo: float
    hi: float
    clipped: int

    def index(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Palette indices of values of any shape: 0 for NaN, 1 .. STEPS + 1 from lo to hi."""
        share = (np.nan_to_num(values, nan=self.lo) - self.lo) / (self.hi - self.lo)
        index = 1 + np.rint(np.clip(share, 0, 1) * STEPS)
        return np.where(np.isnan(values), 0, index).astype(np.uint8)


def scale_for(values: NDArray[np.floating], unit: str) -> Scale:
    """Diverging around zero for z scores (clipped at ±6) and signed values, else sequential from zero."""
    known = values[np.isfinite(values)]
    largest = float(np.abs(known).max()) if known.size else 0.0
    signed = unit == "z" or bool((known < 0).any())
    top = _CLIP_Z if unit == "z" else (largest or 1.0)
    return Scale(DIVERGING if signed else SEQUENTIAL, -top if signed else 0.0, top, int((np.abs(known) > top).sum()))


def _rgb(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
