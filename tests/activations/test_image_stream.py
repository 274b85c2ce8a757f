"""The stream of channel activations: every place once a pass, shuffled, resumed with the same rows."""

from __future__ import annotations

from pathlib import Path

import torch

from brainscan.activations.image_stream import ImageStream, ImageStreamState
from brainscan.activations.images import find_images
from brainscan.core.address import Site
from brainscan.dictionary.settings import Settings
from brainscan.dictionary.train import Request, RunPlan, train
from tests.vision import painted, small

SITE = Site("channel", 1)


def stream(folder: Path, state: ImageStreamState | None = None, passes: int = 1) -> ImageStream:
    return ImageStream(small(), find_images(folder), [SITE], batch=64, window=4, passes=passes, state=state)


def test_rows_are_the_places_of_all_images(tmp_path: Path) -> None:
    folder = painted(tmp_path, 4)
    rows = torch.cat([batch.values[SITE] for batch in stream(folder)])
    assert rows.shape == (8 * 64, small().width(SITE))
    assert len(rows.unique(dim=0)) > 8 * 40


def test_it_resumes_with_the_same_rows(tmp_path: Path) -> None:
    folder = painted(tmp_path, 4)
    whole = [batch.values[SITE] for batch in stream(folder)]
    first = stream(folder)
    for number, _ in enumerate(first):
        if number == 2:
            break
    rest = [batch.values[SITE] for batch in stream(folder, first.state())]
    assert len(rest) == len(whole) - 3
    assert all(torch.equal(a, b) for a, b in zip(rest, whole[3:], strict=True))


def test_a_dictionary_trains_on_channels(tmp_path: Path) -> None:
    folder = painted(tmp_path / "images", 4)
    settings = Settings(kind="topk", n_features=64, k=4, lr=5e-3)
    plan = RunPlan(requests=(Request(name="d", settings=settings, reads=(str(SITE),)),), steps=12)

    def opened(state: dict[str, object] | None) -> ImageStream:
        return stream(folder, ImageStreamState.model_validate(state) if state else None, passes=2)

    made = train(opened, plan, tmp_path / "run")
    assert made.steps == 12
    assert made.dictionaries["d"].reads == (str(SITE),)  # type: ignore[union-attr]
