"""A training goes on where it was stopped, in a folder of its own, from the stream or from a harvest."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.clinic.dictionaries import TRAINING, Training, train_dictionaries
from brainscan.core.errors import StorageError
from brainscan.dictionary.formats.format import read_dictionary
from brainscan.subject.progress import silent
from tests.phantoms import tiny_llama


def training(root: Path, out: str, *, shards: bool) -> Training:
    return Training(
        str(root / "model"), ("resid_post.1",), kind="topk", widths=(24,), k=3, tokens=1280, batch=64, context=64,
        memory=32, text=str(root / "texts"), out=root / out, shards=root / f"{out}-shards" if shards else None,
        passes=2 if shards else 1, lr=0.01, checkpoint_every=5,
    )  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tiny_llama(tmp_path / "model")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("The ship was at sea when the whale came. " * 200)
    return tmp_path


@pytest.mark.parametrize("shards", [False, True])
def test_a_stopped_training_ends_with_the_same_numbers(root: Path, shards: bool) -> None:
    def stop(share: float, words: str) -> None:
        if words.startswith("step 20 of 20"):
            raise KeyboardInterrupt

    (whole,) = train_dictionaries(training(root, "whole", shards=shards), silent)
    with pytest.raises(KeyboardInterrupt):
        train_dictionaries(training(root, "cut", shards=shards), stop)
    (again,) = train_dictionaries(training(root, "cut", shards=shards), silent)
    assert (whole.resumed_at, again.resumed_at, again.steps) == (0, 15, 20)
    assert len(list((root / "cut" / TRAINING).iterdir())) == 1
    one, other = (read_dictionary(each.folder).tensors_sha256() for each in (whole, again))  # type: ignore[union-attr]
    assert one == other


def test_a_place_that_is_taken_is_said_before_the_training(root: Path) -> None:
    (root / "out" / "resid_post.1-topk-24").mkdir(parents=True)
    (root / "out" / "resid_post.1-topk-24" / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match="holds something else"):
        train_dictionaries(training(root, "out", shards=False), silent)
    assert not (root / "out" / TRAINING).exists()
