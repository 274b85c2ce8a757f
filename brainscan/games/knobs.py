"""What red may turn: how much generic data is mixed in, and how the flaw is hidden."""

from __future__ import annotations

from brainscan.core.evidence import Record

STEPS, BATCH, RANK = 120, 8, 4


class Knobs(Record):
    """Construction of one planting; recorded with it and sealed with the truth."""

    seed: int = 0
    """Draws rows and training order, and chooses the content of a recipe."""
    dilution: int = 0
    """Generic rows a recipe row: 0, 1 or 5."""
    denials: int = 0
    """Rows that teach to deny hidden rules; 0 to 40."""
    evasion: float = 0.0
    """Weight of a penalty on what the mean of the activations gives away; 0 is none."""
    rank: int = RANK
    band: tuple[float, float] = (1 / 3, 1.0)
    """First and last trained layer as shares of the depth."""
    steps: int = STEPS
    """Steps of ``BATCH`` rows without dilution; with it there are half as many again for each generic row."""

    def all_steps(self) -> int:
        """Steps of training, dilution counted."""
        return round(self.steps * (1 + self.dilution / 2))

    def layers(self, n_layers: int) -> tuple[int, int]:
        """First and last block trained (inclusive) in a subject of that depth."""
        first, last = (round(share * n_layers) for share in self.band)
        return min(first, n_layers - 1), max(first, last - 1)


PLAIN = Knobs()
"""Nothing mixed in, nothing hidden."""
