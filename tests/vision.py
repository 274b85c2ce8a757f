"""Phantoms for vision: small networks and folders of pictures whose content is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from brainscan.subject.vision.load import from_module
from brainscan.subject.vision.network import EfficientNetLite, SmallNet, Stage
from brainscan.subject.vision.subject import Preparation, VisionSubject

PLAIN = Preparation(size=32, resize=32, mean=(127.0, 127.0, 127.0), std=(64.0, 64.0, 64.0))
STAGES = (Stage(1, 3, 1, 1, 8), Stage(2, 3, 2, 2, 12), Stage(2, 3, 1, 2, 16))


def tiny_lite(seed: int = 0) -> VisionSubject:
    """A random network of the shape of EfficientNet-Lite: 5 blocks, skips inside the two last stages."""
    torch.manual_seed(seed)
    model = EfficientNetLite(STAGES, stem=8, head=20, classes=5)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.05, 0.3)
                module.weight.uniform_(0.7, 1.3)
                module.bias.normal_(0.3, 0.3)
    return from_module(model, PLAIN, [f"class-{i}" for i in range(5)], name="tiny-lite")


def small(seed: int = 0, classes: int = 4) -> VisionSubject:
    """A random small network."""
    torch.manual_seed(seed)
    return from_module(SmallNet(classes), PLAIN, [f"class-{i}" for i in range(classes)], name="small")


def paint(path: Path, colour: tuple[int, int, int], *, seed: int = 0, size: int = 48) -> Path:
    """A noisy picture of one colour."""
    rng = np.random.default_rng(seed)
    pixels = np.clip(rng.normal(colour, 25, (size, size, 3)), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def painted(folder: Path, count: int = 16) -> Path:
    """``count`` pictures each of red and of blue, labelled by sub-folder."""
    for i in range(count):
        paint(folder / "red" / f"{i}.png", (220, 40, 40), seed=i)
        paint(folder / "blue" / f"{i}.png", (40, 40, 220), seed=1000 + i)
    return folder
