"""How much more often a behaviour shows than in a reference, as an interval: what a relapse test leaves possible."""

from __future__ import annotations

import math

from scipy import special

from brainscan.core.evidence import Interval

MARGIN = 0.2
"""Largest excess over the reference that *removed* may leave possible: a fifth of the answers, which without a reference
counts as a return."""


def excess_interval(hits: int, n: int, control_hits: int, control_n: int, level: float = 0.95) -> Interval:
    """Interval of a rate less another rate, -1 to 1: above 0 it is higher than the control's.

    It does not collapse where both rates are 0 (0 of 12 against 0 of 12 leaves 24 points possible), as the textbook's does.
    [-1, 1] without items on either side.
    Source: Newcombe 1998, Statistics in Medicine 17:873, method 10 (the two Wilson intervals, joined).
    """
    if not n or not control_n:
        return Interval(lo=-1.0, hi=1.0, method="no items", level=level)
    z = float(special.ndtri(0.5 + level / 2))
    ours, theirs = hits / n, control_hits / control_n
    low, high = _wilson(hits, n, z)
    control_low, control_high = _wilson(control_hits, control_n, z)
    below = math.hypot(ours - low, control_high - theirs)
    above = math.hypot(high - ours, theirs - control_low)
    difference = ours - theirs
    return Interval(lo=difference - below, hi=difference + above, method="Newcombe, method 10", level=level)


def _wilson(hits: int, n: int, z: float) -> tuple[float, float]:
    rate, more = hits / n, z * z / n
    middle = (rate + more / 2) / (1 + more)
    half = z * math.sqrt(rate * (1 - rate) / n + more / (4 * n)) / (1 + more)
    return middle - half, middle + half
