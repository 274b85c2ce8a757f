"""Broken and hostile folders are refused before anything opens them."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from brainscan.core.errors import BrokenSubject, MissingTokenizer, UnsafeSubject
from brainscan.subject.hashes import file_hashes, joint_hash
from brainscan.subject.phantom import tiny_model
from brainscan.subject.weights import check_finite, check_folder, read_header
from tests.phantoms import edit_json, tiny_llama


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_llama(tmp_path / "model")


class Bomb:
    """A pickle of it writes a file when somebody opens it."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


def test_a_good_folder_passes(folder: Path) -> None:
    assert check_folder(folder) == (folder / "model.safetensors",)


@pytest.mark.parametrize("kept", [0, 7, 8, 100, 5000])
def test_truncated_weights_are_named_with_both_sizes(folder: Path, kept: int) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:kept])
    with pytest.raises(BrokenSubject, match=r"model\.safetensors") as caught:
        check_folder(folder)
    assert f"{kept:,}" in caught.value.cause


def test_weights_cut_in_the_data_name_the_promised_size(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    with pytest.raises(BrokenSubject, match=f"truncated: its header promises {len(whole):,} bytes"):
        check_folder(folder)
    weights.write_bytes(whole + b"x")
    with pytest.raises(BrokenSubject, match="data behind its last tensor"):
        check_folder(folder)


@given(st.binary(max_size=400))
def test_no_bytes_at_all_pass_as_weights_by_accident(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.mktemp("header") / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(body)) + body)
    try:
        assert isinstance(read_header(path), dict)
        json.loads(body)
    except BrokenSubject as error:
        assert "model.safetensors" in error.cause


def test_a_shape_that_does_not_fit_its_bytes_is_refused(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 8)
    with pytest.raises(BrokenSubject, match="cannot be read"):
        read_header(path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.ckpt"])
def test_a_pickle_with_code_in_it_is_refused_and_never_run(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "the code ran")))
    with pytest.raises(UnsafeSubject, match="not opened") as caught:
        check_folder(folder)
    assert name in caught.value.cause and "safetensors" in caught.value.next_step
    assert not (tmp_path / "the code ran").exists()


def test_the_bomb_would_have_gone_off(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "the code ran")))
    assert (tmp_path / "the code ran").exists()


def test_a_folder_without_weights_says_so_and_points_to_a_gguf_file(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(BrokenSubject, match="no safetensors weights"):
        check_folder(folder)
    (folder / "config.json").unlink()
    (folder / "tiny.gguf").write_bytes(b"GGUF")
    with pytest.raises(BrokenSubject, match=r"tiny\.gguf"):
        check_folder(folder)


def shard(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: tensors[name] for name in part}, folder / file)
    weight_map = {name: file for file, part in parts.items() for name in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def test_shards_are_all_checked(folder: Path) -> None:
    shard(folder)
    assert [path.name for path in check_folder(folder)] == ["a.safetensors", "b.safetensors"]
    (folder / "b.safetensors").write_bytes((folder / "b.safetensors").read_bytes()[:-4])
    with pytest.raises(BrokenSubject, match=r"b\.safetensors is truncated"):
        check_folder(folder)
    (folder / "b.safetensors").unlink()
    with pytest.raises(BrokenSubject, match=r"names the shard b\.safetensors, which is missing"):
        check_folder(folder)


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "a.bin"])
def test_an_index_cannot_lead_out_of_its_folder(folder: Path, name: str) -> None:
    shard(folder)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"w": name}}))
    with pytest.raises(UnsafeSubject, match="outside its folder or of another kind"):
        check_folder(folder)


def test_a_tensor_that_its_shard_lacks_is_missed(folder: Path) -> None:
    shard(folder)
    index = folder / "model.safetensors.index.json"
    weight_map = {**json.loads(index.read_text())["weight_map"], "model.extra": "a.safetensors"}
    index.write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(BrokenSubject, match=r"names 1 tensors that its shards lack, first model\.extra"):
        check_folder(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\ud800".encode("utf-8", "surrogatepass"), "[" * 100_000])
def test_a_config_that_is_no_json_object_is_broken(folder: Path, text: str | bytes) -> None:
    (folder / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BrokenSubject, match=r"config\.json"):
        check_folder(folder)


def test_code_of_the_models_own_needs_leave(folder: Path) -> None:
    for file in ("config.json", "tokenizer_config.json"):
        edit_json(folder / file, auto_map={"AutoModelForCausalLM": "evil.Evil"})
        with pytest.raises(UnsafeSubject, match=rf"{file}.*auto_map") as caught:
            check_folder(folder)
        assert "--allow-remote-code" in caught.value.next_step
        assert check_folder(folder, allow_remote_code=True)
        edit_json(folder / file, auto_map=None)


@pytest.mark.parametrize(
    "fields", [{"attn_implementation": "somebody/kernels"}, {"transformers_weights": "pytorch_model.bin"}]
)
def test_a_config_cannot_fetch_kernels_or_choose_a_pickle(folder: Path, fields: dict[str, str]) -> None:
    edit_json(folder / "config.json", **fields)
    with pytest.raises(UnsafeSubject, match=r"config\.json"):
        check_folder(folder)


def test_an_adapter_alone_names_what_is_missing(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "org/base"}))
    with pytest.raises(BrokenSubject, match=r"LoRA adapter.*org/base\+"):
        check_folder(folder)


def test_a_missing_tokenizer_has_its_own_error(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(MissingTokenizer, match="no tokenizer"):
        check_folder(folder)


def test_weights_that_are_not_numbers_are_counted_and_named() -> None:
    model, _ = tiny_model()
    check_finite(model, "tiny")
    with torch.no_grad():
        for i, value in enumerate((float("nan"), float("inf"), float("-inf"), float("nan"))):
            model.model.layers[i].mlp.down_proj.weight[3, 5] = value
    with pytest.raises(BrokenSubject, match=r"in 4 tensors: model\.layers\.0\.mlp\.down_proj\.weight,.*, \.\.\.\."):
        check_finite(model, "tiny")


def test_hashes_are_remembered_until_the_file_changes(folder: Path, tmp_path: Path) -> None:
    weights, cache = folder / "model.safetensors", tmp_path / "cache"
    first = file_hashes([weights], cache)[weights]
    memory = cache / "hashes.json"
    memory.write_text(memory.read_text().replace(first, "remembered"))
    assert file_hashes([weights], cache) == {weights: "remembered"}
    weights.write_bytes(weights.read_bytes() + b"x")
    assert file_hashes([weights], cache)[weights] not in (first, "remembered")
    memory.write_text("{broken")
    assert len(file_hashes([weights], cache)[weights]) == 64


def test_the_joint_hash_depends_on_names_and_hashes_but_not_on_order() -> None:
    assert joint_hash({"a": "1", "b": "2"}) == joint_hash({"b": "2", "a": "1"})
    assert len({joint_hash({"a": "1"}), joint_hash({"b": "1"}), joint_hash({"a": "2"})}) == 3
