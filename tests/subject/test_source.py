"""What a user writes is understood, or refused with a proposal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.errors import BrainscanError, SubjectNotFound, UnsafeSubject
from brainscan.subject.source import Source, absolute_spec, parse_source, short_names


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def model_folder(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    return path


def adapter_folder(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "adapter_config.json").write_text("{}")
    return path


def test_a_short_name_is_a_packaged_model(here: Path) -> None:
    assert parse_source("gemma-3-270m", here / "cache") == Source("gemma-3-270m", "packaged", "gemma-3-270m")


def test_a_short_name_wins_over_a_folder_which_is_then_written_with_a_dot(here: Path) -> None:
    model_folder(here / "gemma-3-270m")
    assert parse_source("gemma-3-270m", here / "cache").kind == "packaged"
    assert parse_source("./gemma-3-270m", here / "cache").kind == "folder"


def test_an_absolute_spelling_means_the_same_from_another_folder(here: Path) -> None:
    model_folder(here / "base")
    adapter_folder(here / "lora")
    cache = here / "cache"
    assert absolute_spec("base", cache) == str(here / "base")
    assert absolute_spec("./base+lora:live", cache) == f"{here / 'base'}+{here / 'lora'}:live"
    assert absolute_spec("gemma-3-270m+lora", cache) == f"gemma-3-270m+{here / 'lora'}"
    assert absolute_spec("org/name", cache) == "org/name"


def test_what_lies_in_the_cache_has_a_short_name(here: Path) -> None:
    folder = model_folder(here / "cache" / "models" / "organism-7")
    model_folder(here / "cache" / "models" / ".half-written.part")
    source = parse_source("organism-7", here / "cache")
    assert (source.kind, source.path) == ("folder", folder)
    assert short_names(here / "cache") == ("smollm2-135m-instruct", "gemma-3-270m", "organism-7")


def test_a_folder_a_gguf_file_and_a_hub_id_are_told_apart(here: Path) -> None:
    folder, cache = model_folder(here / "checkpoints" / "last"), here / "cache"
    (here / "tiny.Q4.gguf").write_bytes(b"GGUF")
    assert parse_source(str(folder), cache) == Source(str(folder), "folder", "last", folder)
    assert parse_source("tiny.Q4.gguf", cache) == Source("tiny.Q4.gguf", "gguf", "tiny.Q4", Path("tiny.Q4.gguf"))
    assert parse_source("some-org/some.model_1", cache).kind == "hub"


def test_an_adapter_goes_with_any_base(here: Path) -> None:
    adapter, cache = adapter_folder(here / "lora"), here / "cache"
    for base in ("smollm2-135m-instruct", str(model_folder(here / "base")), "org/name"):
        source = parse_source(f"{base}+lora", cache)
        assert source.adapter is not None and source.adapter.resolve() == adapter
        assert (source.base, source.name, source.live) == (parse_source(base, cache).name, f"{source.base}+lora", False)
        assert parse_source(f"{base}+lora:live", cache).live
        assert parse_source(f"{base}+lora:live", cache).spec == f"{base}+lora:live"


def test_plus_signs_in_the_names_of_folders_are_only_names(here: Path) -> None:
    model_folder(here / "a+b")
    adapter_folder(here / "c+d")
    assert parse_source("a+b", here / "cache").adapter is None
    source = parse_source("a+b+c+d", here / "cache")
    assert (source.path, source.adapter) == (Path("a+b"), Path("c+d"))


@pytest.mark.parametrize(
    ("spec", "proposal"),
    [
        ("smollm2-135m-instrcut", "Did you mean smollm2-135m-instruct?"),
        ("SmolLM2-135M-Instruct", "Did you mean smollm2-135m-instruct?"),
        ("checkpoints/lst", "Did you mean checkpoints/last?"),
        ("gemma-3-270m+checkpoints/larst", "Did you mean checkpoints/last?"),
        ("quite something else", "org/name on the hub"),
        ("", "a short name (smollm2-135m-instruct, gemma-3-270m)"),
        ("missing.gguf", "a .gguf file"),
        ("gone/missing.gguf", "a .gguf file"),
    ],
)
def test_what_is_not_there_is_refused_with_a_proposal(here: Path, spec: str, proposal: str) -> None:
    model_folder(here / "checkpoints" / "last")
    with pytest.raises(SubjectNotFound) as caught:
        parse_source(spec, here / "cache")
    assert proposal in caught.value.next_step


def test_a_folder_without_an_adapter_is_no_adapter(here: Path) -> None:
    model_folder(here / "base")
    with pytest.raises(SubjectNotFound, match="holds no PEFT adapter"):
        parse_source("gemma-3-270m+base", here / "cache")


def test_a_pickle_is_unsafe_and_another_file_points_to_its_folder(here: Path) -> None:
    (here / "model.pt").write_bytes(b"")
    (here / "model.safetensors").write_bytes(b"")
    with pytest.raises(UnsafeSubject, match="not opened"):
        parse_source("model.pt", here / "cache")
    with pytest.raises(SubjectNotFound, match="Name its folder"):
        parse_source("model.safetensors", here / "cache")


@given(st.text(max_size=300))
def test_no_text_at_all_brings_the_parser_down(tmp_path_factory: pytest.TempPathFactory, spec: str) -> None:
    cache = tmp_path_factory.getbasetemp() / "no-such-cache"
    try:
        assert isinstance(parse_source(spec, cache), Source)
    except BrainscanError as error:
        assert error.cause.isprintable() and error.next_step
