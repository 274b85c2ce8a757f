"""The drift alarm: traffic has left the world that the monitor was calibrated in.

A test of exchangeability that may be read after every answer. Each score gets a conformal p-value among the
clean scores and all scores since; a gambler who starts with 1 bets that p-values are not uniform, now high,
now low. Were traffic and calibration exchangeable, the capital would ever reach 1 / rate with probability at
most ``rate`` (Ville). Source: Vovk, Petej, Nouretdinov, Ahlberg, Carlsson & Gammerman, "Retrain or not retrain:
conformal test martingales for change-point detection" (2021), the simple jumper.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

import numpy as np

_SLOPES = (-1.0, 0.0, 1.0)
_JUMP = 0.01


class Drift:
    """Watches the stream of combined scores.

    Args:
        clean: scores of the calibration answers.
        rate: probability that it ever raises a false alarm.
        seed: of the draws that break ties between equal scores.
    """

    def __init__(self, clean: Sequence[float], rate: float = 0.01, seed: int = 0) -> None:
        self._scores = sorted(clean)
        self._capital = np.full(len(_SLOPES), 1 / len(_SLOPES))
        self._draw = np.random.default_rng(seed)
        self.rate, self.seen, self.highest = rate, 0, 1.0

    @property
    def capital(self) -> float:
        """1 at the start; below is no evidence, ``1 / rate`` and above is an alarm."""
        return float(self._capital.sum())

    @property
    def alarmed(self) -> bool:
        """Whether the capital has ever reached ``1 / rate``."""
        return self.highest >= 1 / self.rate

    def see(self, score: float) -> float:
        """Take one score into account; returns its p-value."""
        low, high = bisect_left(self._scores, score), bisect_right(self._scores, score)
        above, equal = len(self._scores) - high, high - low + 1
        p = (above + self._draw.random() * equal) / (len(self._scores) + 1)
        insort(self._scores, score)
        mixed = (1 - _JUMP) * self._capital + _JUMP * self.capital / len(_SLOPES)
        self._capital = mixed * (1 + np.array(_SLOPES) * (p - 0.5))
        self.seen += 1
        self.highest = max(self.highest, self.capital)
        return p
