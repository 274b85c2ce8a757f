"""The search for a patch on an accelerator: pictures and patches come from the CPU, margins do not."""

from __future__ import annotations

import numpy as np

from brainscan.scan.vision.patch import PatchSettings, search_patch
from tests.house.pretend import Pretended, on_cuda
from tests.vision import small


def test_the_search_meets_no_tensor_of_another_device() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
    settings = PatchSettings(images=4, held=8, places=2, steps=2)
    plain, subject = search_patch(small(), pixels, settings), small()
    on_cuda(subject.model)
    with Pretended():
        found = search_patch(subject, pixels, settings)
    assert (found.target, found.box, found.rate) == (plain.target, plain.box, plain.rate)
