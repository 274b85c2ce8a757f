"""Sources: the same texts every time, one at a time, and what is no text is said."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.activations.sources import PIECE, HubDataset, Texts, open_source, pieces
from brainscan.core.errors import InputError, MissingExtra, UsageError


def test_a_folder_is_read_in_the_order_of_names_and_empty_files_are_left_out(tmp_path: Path) -> None:
    for name, text in {"b.txt": "second", "a.md": "first", "c.txt": "  \n", "d.bin": "no"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "e.jsonl").write_text('{"text": "third"}\n\n{"text": "fourth"}\n')
    source = open_source(str(tmp_path))
    assert list(source.texts()) == ["first", "second", "third", "fourth"]
    assert list(source.texts(2)) == ["third", "fourth"]


@given(st.text(alphabet="ab \n", max_size=300))
def test_pieces_lose_nothing_and_none_is_too_long(text: str) -> None:
    import io

    whole = list(pieces(io.StringIO(text * 200)))
    assert all(0 < len(piece) <= PIECE for piece in whole)
    assert "".join("".join(whole).split()) == "".join((text * 200).split())


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * (2 * PIECE + 5))
    assert [len(t) for t in open_source(str(tmp_path / "a.txt")).texts()] == [PIECE, PIECE, 5]


def test_another_field_is_named_behind_a_hash(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"content": "here"}))
    assert list(open_source(f"{tmp_path}/a.jsonl#content").texts()) == ["here"]
    with pytest.raises(InputError, match="no text in the field 'text'"):
        list(open_source(f"{tmp_path}/a.jsonl").texts())


@pytest.mark.parametrize("line", ["not json", "[1, 2", "[" * 100_000])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n' + line)
    with pytest.raises(InputError, match="Line 2"):
        list(open_source(f"{tmp_path}/a.jsonl").texts())


def test_the_identity_follows_the_contents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    before = open_source(str(tmp_path)).identity()
    assert open_source(str(tmp_path)).identity() == before
    (tmp_path / "a.txt").write_text("two")
    assert open_source(str(tmp_path)).identity() != before
    assert Texts(("a", "b")).identity() != Texts(("ab",)).identity()


@pytest.mark.parametrize("spec", ["/nowhere/at/all", "hf:", "hf:a:b:c:d"])
def test_what_is_no_source_is_said(spec: str) -> None:
    with pytest.raises(UsageError):
        open_source(spec)


def test_a_hub_data_set_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def load(name: str, config: str | None, *, split: str, streaming: bool) -> list[dict[str, str]]:
        asked.append((name, config, split, streaming))
        return [{"body": "one"}, {"body": " "}, {"body": "two"}]

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))
    source = open_source("hf:org/name:small:validation#body")
    assert list(source.texts(1)) == ["two"]
    assert asked == [("org/name", "small", "validation", True)]


def test_optional_packages_are_named_when_they_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtra, match="datasets"):
        list(HubDataset("org/name").texts())
    with pytest.raises(MissingExtra, match="pyarrow"):
        list(open_source(f"{tmp_path}/a.parquet").texts())


def test_parquet_is_read_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class File:
        schema_arrow = SimpleNamespace(names=["text", "id"])

        def __init__(self, path: Path) -> None:
            self.path = path

        def iter_batches(self, batch_size: int, columns: list[str]):
            assert columns == ["text"]
            for part in (["a", "b"], ["c"]):
                yield SimpleNamespace(to_pylist=lambda part=part: [{"text": t} for t in part])

    parquet = SimpleNamespace(ParquetFile=File)
    monkeypatch.setitem(sys.modules, "pyarrow", SimpleNamespace(parquet=parquet))
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    assert list(open_source(f"{tmp_path}/a.parquet").texts()) == ["a", "b", "c"]
