"""How polysemantic a unit or a dictionary's feature is, on the same images: are its strongest images alike?

Images are compared by what the network's last layer sees in them. Coherence is the mean cosine between a
unit's strongest images, less that of random images: 0 is as unlike as chance, 1 all the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOP = 9


def coherence(values: NDArray[np.float32], seen: NDArray[np.float32], top: int = TOP) -> NDArray[np.float64]:
    """Coherence of every unit [unit].

    Args:
        values: each unit's value on each image [image, unit].
        seen: what the last layer sees [image, channel].
    """
    centred = seen - seen.mean(0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    base = (np.square(unit.sum(0)).sum() - len(unit)) / (len(unit) * (len(unit) - 1))
    strongest = np.argsort(-values, axis=0, kind="stable")[:top]  # [top, unit]
    sums = unit[strongest].sum(0)  # [unit, channel]
    inside = (np.square(sums).sum(1) - top) / (top * (top - 1))
    return (inside - base).astype(np.float64)
