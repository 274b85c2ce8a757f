"""A GGUF file opens as the model that was packed into it, and a broken one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from brainscan.core.errors import BrokenSubject, MissingTokenizer, StorageError, SubjectNotFound, UnknownFamily
from brainscan.subject.gguf import _failure, check_gguf, dequantise, is_complete, open_gguf
from brainscan.subject.load import load_subject
from tests.subject.packed import packable_llama, write_gguf


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("files") / "tiny.gguf")


@pytest.fixture(scope="module")
def converted(gguf: Path, cache: Path) -> Path:
    return open_gguf(gguf, cache)


def test_the_unpacked_model_is_the_packed_one(gguf: Path, converted: Path, cache: Path) -> None:
    subject = load_subject(str(gguf), cache=cache)
    ids = torch.arange(3, 60)[None]
    assert torch.allclose(subject.model(ids).logits, packable_llama()(ids).logits, atol=1e-4)
    assert Path(subject.card.folder or "") == converted.resolve()
    assert subject.card.has_chat_template and subject.card.name == "tiny"
    assert subject.card.notes == ("The weights were unpacked to float32 from tiny.gguf, so they carry its rounding.",)


def test_words_are_cut_as_the_file_says(gguf: Path, converted: Path, cache: Path) -> None:
    subject = load_subject(str(gguf), cache=cache)
    assert subject.pieces(subject.raw_tokens("a12")) == ("a", "1", "2")  # GPT-2's cut would give "a", "12"


def test_a_second_opening_converts_nothing(gguf: Path, converted: Path, cache: Path) -> None:
    before = (converted / "model.safetensors").stat().st_mtime_ns
    assert open_gguf(gguf, cache) == converted and is_complete(converted)
    assert (converted / "model.safetensors").stat().st_mtime_ns == before
    assert not list(converted.parent.glob(".*.part"))


def test_a_folder_made_by_another_major_version_of_transformers_is_not_trusted(tmp_path: Path) -> None:
    assert not is_complete(tmp_path)
    (tmp_path / "brainscan.json").write_text('{"transformers": "3.1.0"}')
    assert not is_complete(tmp_path)


@pytest.mark.parametrize("kept", [4, 100, 5000, -64])
def test_a_truncated_file_is_broken_and_leaves_nothing(gguf: Path, tmp_path: Path, kept: int) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(gguf.read_bytes()[:kept])
    with pytest.raises(BrokenSubject, match=r"cut\.gguf is a truncated or damaged GGUF file"):
        open_gguf(cut, tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_other_files_and_no_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "other.gguf").write_bytes(b"PK\3\4 not this")
    with pytest.raises(BrokenSubject, match="not a GGUF file"):
        check_gguf(tmp_path / "other.gguf")
    with pytest.raises(SubjectNotFound, match="There is no file"):
        open_gguf(tmp_path / "none.gguf", tmp_path)


def test_weights_without_a_vocabulary_have_their_own_error(tmp_path: Path) -> None:
    with pytest.raises(MissingTokenizer, match="no tokenizer"):
        check_gguf(write_gguf(tmp_path / "bare.gguf", tokenizer=False))


def test_an_architecture_that_nobody_knows_is_refused_whole(tmp_path: Path) -> None:
    strange = write_gguf(tmp_path / "strange.gguf", architecture="brontosaurus")
    with pytest.raises(UnknownFamily, match=r"strange\.gguf.*brontosaurus"):
        dequantise(strange, tmp_path / "out", {})
    assert [path.name for path in tmp_path.iterdir()] == ["strange.gguf"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("ValueError: GGUF model with architecture x is not supported yet.", UnknownFamily),
        ("SafetensorError: I/O error: No space left on device (os error 28)", StorageError),
        ("the converter ended with code -9", BrokenSubject),
    ],
)
def test_the_converters_last_words_become_one_clear_error(words: str, error: type[Exception]) -> None:
    assert type(_failure(Path("x.gguf"), words)) is error


def test_a_place_that_cannot_be_written_is_a_storage_error(gguf: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        open_gguf(gguf, tmp_path / "file")
