"""Files appear whole or not at all, also when the disk is full or the writer dies."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from brainscan.core.errors import StorageError
from brainscan.core.files import folder_atomic, write_atomic


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_atomic(path, "old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.txt"
    write_atomic(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"is full; nothing was left half-written\. Free some space"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        write_atomic(tmp_path / "file" / "below.txt", "x")


def test_a_folder_takes_its_name_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with folder_atomic(target) as part:
        (part / "a").write_text("1")
        assert not target.exists()
    assert (target / "a").read_text() == "1"
    with pytest.raises(ValueError, match="broken"), folder_atomic(target) as part:
        (part / "a").write_text("2")
        raise ValueError("broken")
    assert (target / "a").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("marker", [None, "model.json"])
def test_a_folder_that_holds_something_else_is_never_replaced(tmp_path: Path, marker: str | None) -> None:
    documents = tmp_path / "Documents"
    documents.mkdir()
    (documents / "thesis.txt").write_text("years of work")
    with (
        pytest.raises(StorageError, match=r"holds something else.*Name a folder that is new or empty"),
        folder_atomic(documents, marker) as part,
    ):
        (part / "model.json").write_text("{}")
    assert (documents / "thesis.txt").read_text() == "years of work"
    assert [p.name for p in tmp_path.iterdir()] == ["Documents"]


@pytest.mark.parametrize("marker", [None, "model.json"])
def test_a_folder_of_the_same_sort_or_an_empty_one_is_replaced(tmp_path: Path, marker: str | None) -> None:
    target = tmp_path / "model"
    target.mkdir()
    for text in ("1", "2"):
        with folder_atomic(target, marker) as part:
            (part / "model.json").write_text(text)
    assert (target / "model.json").read_text() == "2"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_the_working_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.json").write_text("old")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match="the folder that you are in"), folder_atomic(Path()) as part:
        (part / "model.json").write_text("new")
    assert (tmp_path / "model.json").read_text() == "old"


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "big-disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "big-disk")
    with folder_atomic(tmp_path / "link") as part:
        (part / "a").write_text("1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "big-disk" / "a").read_text() == "1"


def test_a_file_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(StorageError, match="is a file"), folder_atomic(tmp_path / "notes"):
        pass
    assert (tmp_path / "notes").read_text() == "mine"


def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "a").write_text("old")
    replace = Path.replace

    def refuse(self: Path, other: Path) -> Path:
        if self.suffix == ".part":
            raise OSError(errno.EIO, "Input/output error")
        return replace(self, other)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageError), folder_atomic(target) as part:
        (part / "a").write_text("new")
    assert (target / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
