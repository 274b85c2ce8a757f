"""A seal shows what was changed later, and survives hostile folders."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from brainscan.clinic.seal import SEAL_FILE, seal, verify_model, verify_seal
from brainscan.core.errors import RecordError, StorageError
from brainscan.core.provenance import sha256_of_bytes
from tests.clinic.shelf import write_sample
from tests.gate.records import make_card


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sample(tmp_path / "scan")
    return tmp_path / "scan"


def statuses(folder: Path) -> dict[str, str]:
    return {line.file: line.status for line in verify_seal(folder)}


def test_an_untouched_scan_is_the_same(folder: Path) -> None:
    assert statuses(folder) == {"scan.json": "same", "evidence.safetensors": "same", "diagnosis.json": "same"}


def test_a_changed_a_missing_and_a_new_file_show(folder: Path) -> None:
    with (folder / "scan.json").open("a") as stream:
        stream.write(" ")
    (folder / "evidence.safetensors").unlink()
    (folder / "journal.jsonl").write_text("{}")
    assert statuses(folder) == {
        "scan.json": "changed",
        "evidence.safetensors": "missing",
        "diagnosis.json": "same",
        "journal.jsonl": "unchecked",
    }


def test_a_pipe_in_the_place_of_a_file_does_not_hang(folder: Path) -> None:
    (folder / "scan.json").unlink()
    os.mkfifo(folder / "scan.json")
    assert statuses(folder)["scan.json"] == "missing"


def test_without_a_seal_nothing_reads_as_same(folder: Path) -> None:
    (folder / SEAL_FILE).unlink()
    assert statuses(folder) == {SEAL_FILE: "missing"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"files": {"../../etc/passwd": "' + b"a" * 64 + b'"}}',
        b'{"files": {"scan.json": "short"}}',
        b"[" * 60_000,
        b"\xff\xfe",
        b" " * (1 << 20),
    ],
    ids=["empty", "list", "climbs", "short digest", "deep", "no text", "huge"],
)
def test_a_hostile_seal_is_refused_in_one_sentence(folder: Path, content: bytes) -> None:
    (folder / SEAL_FILE).write_bytes(content)
    with pytest.raises(RecordError, match="seal"):
        verify_seal(folder)


def test_an_unfinished_scan_cannot_be_sealed(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no finished scan"):
        seal(tmp_path)


def test_a_full_disk_leaves_no_half_seal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / SEAL_FILE).read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="is full"):
        seal(folder)
    assert (folder / SEAL_FILE).read_bytes() == before
    assert not list(folder.glob(".*part"))


def test_the_files_of_a_model_are_hashed_again(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"weights")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").symlink_to("../blob")  # as hub caches are laid out
    (tmp_path / "model" / "config.json").write_bytes(b"{}")
    files = {
        "model.safetensors": sha256_of_bytes(b"weights"),
        "config.json": "0" * 64,
        "tokenizer.json": "0" * 64,
        "../blob": sha256_of_bytes(b"weights"),
        "/etc/passwd": "0" * 64,
        "nul\0": "0" * 64,
    }
    lines = verify_model("subject", make_card(files=files, folder=str(tmp_path / "model")))
    assert {line.file: line.status for line in lines} == {
        "model.safetensors": "same",
        "config.json": "changed",
        "tokenizer.json": "missing",
        "../blob": "unchecked",
        "/etc/passwd": "unchecked",
        "nul<U+0000>": "unchecked",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": None, "files": {"a": "b"}},
        {"folder": "/tmp", "files": {}},
        {"folder": "/no\0where", "files": {"a": "b"}},
    ],
)
def test_a_model_without_hashes_is_unchecked_not_same(changes: dict) -> None:
    assert [line.status for line in verify_model("reference", make_card(**changes))] == ["unchecked"]
