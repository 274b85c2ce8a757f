"""Reports appear whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from brainscan.clinic.deliver import DeliveryRequests, deliver
from brainscan.core.errors import StorageError, UsageError
from tests.clinic.shelf import write_sample


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sample(tmp_path / "scan")
    return tmp_path / "scan"


def all_forms(place: Path) -> DeliveryRequests:
    return DeliveryRequests(
        html=place / "r.html",
        json=place / "r.json",
        sarif=place / "r.sarif",
        junit=place / "r.xml",
        summary=place / "r.md",
    )


def test_every_form_is_written_where_it_was_asked(folder: Path, tmp_path: Path) -> None:
    written = deliver(folder, all_forms(tmp_path / "out"))
    assert [path.name for path in written] == ["r.html", "r.json", "r.sarif", "r.xml", "r.md"]
    assert all(path.stat().st_size > 100 for path in written)
    assert json.loads((tmp_path / "out" / "r.sarif").read_text())["version"] == "2.1.0"
    assert "<testsuite" in (tmp_path / "out" / "r.xml").read_text()


def test_nothing_asked_reads_nothing(tmp_path: Path) -> None:
    assert deliver(tmp_path / "no-scan-here", DeliveryRequests()) == ()


def test_two_forms_in_one_file_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="same file"):
        deliver(folder, DeliveryRequests(html=tmp_path / "x", json=tmp_path / "." / "x"))
    assert not (tmp_path / "x").exists()


def test_a_full_disk_leaves_the_old_report_whole(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.json").write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="is full"):
        deliver(folder, DeliveryRequests(json=tmp_path / "r.json"))
    assert (tmp_path / "r.json").read_text() == "old"
    assert not list(tmp_path.glob(".*.part"))
