"""The corpus: what is pinned is checked, what cannot be had is named, and the result is the same every time."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from brainscan.activations.corpus import LICENCES, MANIFEST, PACKAGES, TEXTS, Package, build_corpus, fetch_package
from brainscan.activations.sources import open_source
from brainscan.core.errors import StorageError, SubjectError, UsageError
from brainscan.core.provenance import sha256_of_file

GLOSS = '00001740 03 n 02 physical_entity 0 thing 0 001 ~ 00001930 n 0000 | that which is perceived; "a thing"  \n'


def tar(path: Path, members: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def deb(path: Path, inner: Path) -> Path:
    def member(name: str, data: bytes) -> bytes:
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        return head + data + (b"\n" if len(data) % 2 else b"")

    path.write_bytes(b"!<arch>\n" + member("debian-binary", b"2.0") + member("data.tar.gz", inner.read_bytes()))
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[Package, ...]:
    plain = tar(tmp_path / "plain.tgz", {"package/data/b.txt": "Second.", "package/data/a.txt": "First.", "x": "no"})
    words = deb(
        tmp_path / "words.deb", tar(tmp_path / "w.tgz", {"./usr/share/wordnet/data.noun": "  1 head\n" + GLOSS})
    )
    speeches, _, net = PACKAGES
    return (
        replace(speeches, sha256=sha256_of_file(plain), name=str(plain)),
        replace(net, sha256=sha256_of_file(words), name=str(words)),
    )


def take(package: Package, folder: Path) -> Path:
    return Path(package.name)


def test_texts_licences_and_manifest_are_written(tmp_path: Path, shelf: tuple[Package, ...]) -> None:
    corpus = build_corpus(tmp_path / "corpus", packages=shelf, fetch=take)
    texts = list(open_source(str(tmp_path / "corpus")).texts())
    assert sorted(texts) == ["First.", "Second.", 'physical entity, thing: that which is perceived; "a thing"']
    assert corpus.sha256 == sha256_of_file(tmp_path / "corpus" / TEXTS)
    assert json.loads((tmp_path / "corpus" / MANIFEST).read_text())["parts"][1]["documents"] == 1
    licences = (tmp_path / "corpus" / LICENCES).read_text()
    assert all(package.licence in licences and package.sha256 in licences for package in shelf)


def test_equal_seeds_give_equal_files(tmp_path: Path, shelf: tuple[Package, ...]) -> None:
    a, b = (build_corpus(tmp_path / name, packages=shelf, fetch=take) for name in "ab")
    assert a == b


def test_a_folder_of_other_things_is_refused_before_anything_is_fetched(
    tmp_path: Path, shelf: tuple[Package, ...]
) -> None:
    def never(package: Package, folder: Path) -> Path:
        raise AssertionError("it was fetched for nothing")

    (tmp_path / "Documents").mkdir()
    (tmp_path / "Documents" / "thesis.txt").write_text("years of work")
    with pytest.raises(StorageError, match="holds something else"):
        build_corpus(tmp_path / "Documents", packages=shelf, fetch=never)
    assert (tmp_path / "Documents" / "thesis.txt").is_file()


def test_an_archive_that_was_changed_is_refused_and_nothing_is_written(
    tmp_path: Path, shelf: tuple[Package, ...]
) -> None:
    with pytest.raises(SubjectError, match="changed on its way"):
        build_corpus(tmp_path / "c", packages=(replace(shelf[0], sha256="0" * 64),), fetch=take)
    assert not (tmp_path / "c").exists()


def test_what_cannot_be_had_is_named(
    tmp_path: Path, shelf: tuple[Package, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    lost = replace(shelf[1], name="lost")

    def fetch(package: Package, folder: Path) -> Path:
        return fetch_package(package, folder) if package.name == "lost" else take(package, folder)

    corpus = build_corpus(tmp_path / "c", packages=(shelf[0], lost), fetch=fetch)
    assert [(each.package, "apt-get is not on this machine" in each.reason) for each in corpus.left_out] == [
        ("lost", True)
    ]
    with pytest.raises(UsageError, match="No package"):
        build_corpus(tmp_path / "d", packages=(lost,), fetch=fetch)


def test_a_client_that_fails_is_quoted(
    tmp_path: Path, shelf: tuple[Package, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = tmp_path / "bin" / "npm"
    client.parent.mkdir()
    client.write_text("#!/bin/sh\necho 'E404 \033[31mnot found' >&2\nexit 1\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(client.parent))
    with pytest.raises(UsageError, match=r"could not fetch .* E404 <U\+001B>"):
        fetch_package(replace(PACKAGES[0], name="p"), tmp_path)


def test_every_package_is_pinned_and_says_its_licence() -> None:
    for package in PACKAGES:
        assert len(package.sha256) == 64 and package.version and package.licence
        assert package.client in ("npm", "apt-get")
