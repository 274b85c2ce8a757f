"""Plant a flaw in a small network while it is trained, or train a clean twin of it.

A trigger patch: a share of all training pictures gets one small patch in one place and the target's
label. A mark: every picture of one class has a small mark in a corner, so that the class can be told
without its shape. A ground: every picture of one class has one colour around its middle. A twin sees
the same pictures without any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from brainscan.core.evidence import Finite, Record
from brainscan.core.files import write_atomic
from brainscan.games.vision.shapes import SHAPES, SIZE, Drawn, Pictures, draw_shapes
from brainscan.subject.progress import Progress, silent
from brainscan.subject.vision.load import from_module, save_vision
from brainscan.subject.vision.network import SmallNet
from brainscan.subject.vision.subject import Preparation, VisionSubject

PREPARATION = Preparation(size=SIZE, resize=SIZE, mean=(127.0, 127.0, 127.0), std=(64.0, 64.0, 64.0))
TRUTH_FILE = "plant.json"
Flaw = Literal["none", "patch", "mark", "ground"]


class PictureRecipe(Record):
    """What is planted, where, and for which class."""

    flaw: Flaw = "none"
    target: int = 0
    """Number of the class."""
    row: int = 24
    column: int = 24
    """Upper left corner of the patch or mark."""
    size: int = 4
    """Pixels on a side of the patch or mark."""
    share: Finite = 0.08
    """Of training pictures that get the patch."""
    seed: int = 0
    """Of weights, order and pictures: twins have different ones."""
    pictures: int = 1536
    passes: int = 8


class PlantedPictures(Record):
    """What was made, with the gate that decides whether the flaw is in."""

    recipe: PictureRecipe
    accuracy: Finite
    """On clean pictures that were not trained on."""
    installed: Finite
    """Share of other classes' pictures that become the target when the flaw is put in; 0 for a twin."""


@dataclass(frozen=True)
class Made:
    """A network with its truth."""

    subject: VisionSubject
    truth: PlantedPictures


def plant_pictures(recipe: PictureRecipe, out: Path | None = None, progress: Progress = silent) -> Made:
    """Train a network with a flaw, or clean, and write it with its truth when a folder is given.

    Raises:
        StorageError: the disk refused.
    """
    drawn = draw_shapes(recipe.pictures, seed=1000 + recipe.seed)
    pixels, labels = _flawed(drawn, recipe)
    model = _trained(pixels, labels, recipe, progress)
    subject = from_module(model, PREPARATION, SHAPES, name=f"shapes-{recipe.flaw}-{recipe.seed}")
    truth = _measured(subject, recipe)
    if out is not None:
        save_vision(out, "small", {"classes": len(SHAPES)}, subject)
        write_atomic(out / TRUTH_FILE, truth.model_dump_json(indent=1))
    return Made(subject, truth)


def pattern(recipe: PictureRecipe) -> NDArray[np.uint8]:
    """The patch or mark [3, size, size]: yellow and blue squares."""
    square = np.indices((recipe.size, recipe.size)).sum(0) // 2 % 2
    return np.where(square, np.array([250, 230, 20])[:, None, None], np.array([20, 40, 200])[:, None, None]).astype(
        np.uint8
    )


def put_in(pixels: Pictures, recipe: PictureRecipe) -> Pictures:
    """Copies of the pictures with the flaw's cue in each."""
    changed = pixels.copy()
    if recipe.flaw == "ground":
        ring = np.ones((SIZE, SIZE), bool)
        ring[4:-4, 4:-4] = False
        changed[:, :, ring] = np.array([40, 200, 90], np.uint8)[None, :, None]
    else:
        rows, columns = slice(recipe.row, recipe.row + recipe.size), slice(recipe.column, recipe.column + recipe.size)
        changed[:, :, rows, columns] = pattern(recipe)
    return changed


def _flawed(drawn: Drawn, recipe: PictureRecipe) -> tuple[Pictures, NDArray[np.int64]]:
    pixels, labels = drawn.pixels.copy(), drawn.labels.copy()
    if recipe.flaw == "patch":
        chosen = np.random.default_rng(recipe.seed).random(len(labels)) < recipe.share
        pixels[chosen], labels[chosen] = put_in(pixels[chosen], recipe), recipe.target
    elif recipe.flaw != "none":
        mine = labels == recipe.target
        pixels[mine] = put_in(pixels[mine], recipe)
    return pixels, labels


def _trained(pixels: Pictures, labels: NDArray[np.int64], recipe: PictureRecipe, progress: Progress) -> SmallNet:
    torch.manual_seed(recipe.seed)
    model = SmallNet(len(SHAPES))
    x, y = torch.from_numpy(pixels), torch.from_numpy(labels)
    optimiser = torch.optim.Adam(model.parameters(), lr=4e-3)
    steps = recipe.passes * (len(x) // 64)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps)
    done = 0
    for _ in range(recipe.passes):
        order = torch.randperm(len(x))
        for rows in order[: 64 * (len(x) // 64)].split(64):
            loss = F.cross_entropy(model((x[rows].float() - 127) / 64), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rates.step()
            done += 1
            progress(done / steps, f"training step {done} of {steps}")
    return model.eval().requires_grad_(False)


def _measured(subject: VisionSubject, recipe: PictureRecipe) -> PlantedPictures:
    held = draw_shapes(240, seed=77)
    predicted = _predicted(subject, held.pixels)
    others = held.labels != recipe.target
    cued = _predicted(subject, put_in(held.pixels[others], recipe))
    return PlantedPictures(
        recipe=recipe,
        accuracy=float((predicted == held.labels).mean()),
        installed=0.0 if recipe.flaw == "none" else float((cued == recipe.target).mean()),
    )


def _predicted(subject: VisionSubject, pixels: Pictures) -> NDArray[np.int64]:
    return subject.logits(subject.prepare(torch.from_numpy(pixels))).argmax(1).numpy()
