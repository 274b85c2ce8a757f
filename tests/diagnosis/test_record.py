"""A diagnosis survives the disk, and a broken one is refused in one sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from brainscan.core.errors import RecordError, StorageError
from brainscan.diagnosis.record import DIAGNOSIS_FILE, read_diagnosis, write_diagnosis
from tests.samples import sample_diagnosis


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    write_diagnosis(tmp_path, sample_diagnosis())
    assert read_diagnosis(tmp_path) == sample_diagnosis()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"\x1b[31m": 1}', b'{"scan_id": NaN}'])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DIAGNOSIS_FILE).write_bytes(content)
    with pytest.raises(RecordError, match="is not a diagnosis"):
        read_diagnosis(tmp_path)


def test_none_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="has not been judged"):
        read_diagnosis(tmp_path)


def test_a_full_disk_keeps_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_diagnosis(tmp_path, sample_diagnosis())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="is full"):
        write_diagnosis(tmp_path, sample_diagnosis(calibration=False))
    assert read_diagnosis(tmp_path) == sample_diagnosis()
