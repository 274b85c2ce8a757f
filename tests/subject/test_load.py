"""Loading joins finding, checking and opening: what comes out is the model that lies there, or a clear refusal."""

from __future__ import annotations

import json
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.utils import logging

from brainscan.core.errors import BrokenSubject, SubjectNotFound, UnknownFamily, UnsafeSubject, UsageError
from brainscan.core.provenance import sha256_of_file
from brainscan.subject.device import choose_device
from brainscan.subject.load import load_subject
from brainscan.subject.phantom import tiny_model, tiny_tokenizer
from tests.phantoms import edit_json, tiny_folder, tiny_llama, tiny_lora
from tests.subject.test_weights import Bomb

IDS = torch.arange(8, 40)[None]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def lora(base: Path) -> Path:
    return tiny_lora(base, base.parent / "lora")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("model_type", ["llama", "gemma3_text", "gpt2", "bloom"])
def test_a_folder_opens_as_the_model_that_was_saved(
    tmp_path: Path, cache: Path, no_network: None, model_type: str
) -> None:
    folder = tiny_folder(tmp_path / "m", model_type)
    model, _ = tiny_model(model_type)
    subject = load_subject(str(folder), cache=cache, device="cpu")
    assert torch.equal(subject.model(IDS).logits, model(IDS).logits)
    assert not subject.model.training and not any(w.requires_grad for w in subject.model.parameters())
    card = subject.card
    assert (card.family, card.n_layers, card.d_model, card.n_heads) == (model_type, 4, 32, 4)
    assert (card.d_mlp, card.vocab_size, card.dtype) == (128 if model_type == "bloom" else 64, 128, "float32")
    assert card.n_parameters == sum(w.numel() for w in model.parameters())


def test_the_card_names_every_file_with_its_hash(base: Path, cache: Path) -> None:
    card = load_subject(str(base), cache=cache).card
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= set(card.files)
    for name, sha256 in card.files.items():
        assert sha256_of_file(Path(card.folder or "") / name) == sha256
    assert load_subject(str(base), cache=cache).card == card


def test_the_padding_token_adds_nothing_to_the_vocabulary(base: Path, cache: Path) -> None:
    tokenizer = load_subject(str(base), cache=cache).tokenizer
    assert tokenizer.pad_token == "</s>" and len(tokenizer) == len(tiny_tokenizer()) == 128


def test_a_model_without_a_chat_template_says_so_on_its_card(tmp_path: Path, cache: Path) -> None:
    folder = tiny_llama(tmp_path / "m", chat_template=False)
    assert not load_subject(str(folder), cache=cache).card.has_chat_template


def test_an_adapter_merged_equals_live_equals_pefts_own(base: Path, lora: Path, cache: Path, no_network: None) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    own = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(lora)).eval()(IDS).logits
    plain = load_subject(str(base), cache=cache)
    merged = load_subject(f"{base}+{lora}", cache=cache)
    live = load_subject(f"{base}+{lora}:live", cache=cache)
    also_live = load_subject(f"{base}+{lora}", cache=cache, merge_adapter=False)
    assert torch.equal(live.model(IDS).logits, own) and torch.equal(also_live.model(IDS).logits, own)
    assert torch.allclose(merged.model(IDS).logits, own, atol=1e-4)
    assert (plain.model(IDS).logits - own).abs().max() > 0.1
    assert not any("lora" in name for name, _ in merged.model.named_modules())
    assert any("lora" in name for name, _ in live.model.named_modules())
    assert merged.card.name == "base+lora" and merged.card.weights_sha256 == live.card.weights_sha256
    assert merged.card.weights_sha256 != plain.card.weights_sha256
    assert set(merged.card.files) >= {"base/model.safetensors", "lora/adapter_model.safetensors"}
    for name, sha256 in merged.card.files.items():
        assert sha256_of_file(Path(merged.card.folder or "") / name) == sha256


@pytest.mark.parametrize("change", [{"num_hidden_layers": 3}, {"num_hidden_layers": 5}, {"hidden_size": 64}])
def test_an_adapter_for_a_base_of_another_shape_is_refused(
    lora: Path, tmp_path: Path, cache: Path, change: dict[str, int]
) -> None:
    other = tiny_llama(tmp_path / "other", **change)
    with pytest.raises(BrokenSubject, match="does not fit this base model"):
        load_subject(f"{other}+{lora}", cache=cache)


def test_a_pickled_adapter_is_refused_and_never_run(base: Path, tmp_path: Path, cache: Path) -> None:
    lora = tiny_lora(base, tmp_path / "lora")
    (lora / "adapter_model.safetensors").unlink()
    (lora / "adapter_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "the code ran")))
    with pytest.raises(UnsafeSubject, match=r"adapter_model\.bin"):
        load_subject(f"{base}+{lora}", cache=cache)
    assert not (tmp_path / "the code ran").exists()


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"peft_type": "IA3"}, BrokenSubject), ({"megatron_config": {"a": 1}, "megatron_core": "this"}, UnsafeSubject)],
)
def test_an_adapter_of_another_kind_is_refused(
    base: Path, tmp_path: Path, cache: Path, fields: dict[str, Any], error: type[Exception]
) -> None:
    lora = tiny_lora(base, tmp_path / "lora")
    edit_json(lora / "adapter_config.json", **fields)
    with pytest.raises(error, match=r"lora"):
        load_subject(f"{base}+{lora}", cache=cache)


def test_nan_weights_are_refused(tmp_path: Path, cache: Path) -> None:
    folder = tiny_llama(tmp_path / "m")
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"][4] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BrokenSubject, match=r"NaN or infinite weights in 1 tensors: model\.norm\.weight"):
        load_subject(str(folder), cache=cache)


def test_a_checkpoint_that_lacks_weights_is_not_filled_up_with_random_ones(tmp_path: Path, cache: Path) -> None:
    folder = tiny_llama(tmp_path / "m")
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.2.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BrokenSubject, match=r"lacks the weights of 1 tensors, first model\.layers\.2\.mlp\.up_proj"):
        load_subject(str(folder), cache=cache)


def test_weights_that_do_not_fit_the_config_are_refused(tmp_path: Path, cache: Path) -> None:
    folder = tiny_llama(tmp_path / "m")
    edit_json(folder / "config.json", intermediate_size=48)
    with pytest.raises(BrokenSubject, match="cannot be opened"):
        load_subject(str(folder), cache=cache)


def test_a_tokenizer_with_more_tokens_than_embeddings_is_refused(tmp_path: Path, cache: Path) -> None:
    folder = tiny_llama(tmp_path / "m", vocab_size=100)
    with pytest.raises(BrokenSubject, match="128 tokens and the model only 100 embeddings"):
        load_subject(str(folder), cache=cache)


def test_an_unknown_model_type_and_a_broken_tokenizer_are_told_apart(tmp_path: Path, cache: Path) -> None:
    folder = tiny_llama(tmp_path / "m")
    (folder / "tokenizer.json").write_text(json.dumps({"not": "a tokenizer"}))
    with pytest.raises(BrokenSubject, match=r"tokenizer in .* cannot be read"):
        load_subject(str(folder), cache=cache)
    edit_json(folder / "config.json", model_type="brontosaurus")
    with pytest.raises(UnknownFamily, match="newer transformers"):
        load_subject(str(folder), cache=cache)


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path, cache: Path) -> None:
    folder = tiny_llama(tmp_path / "m")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'the code ran')!r}, 'w')\n")
    edit_json(folder / "config.json", auto_map={"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"})
    with pytest.raises(UnsafeSubject, match="auto_map"):
        load_subject(str(folder), cache=cache)
    assert not (tmp_path / "the code ran").exists()


def test_a_hub_id_without_a_network_is_not_found(cache: Path, no_network: None, tmp_path: Path) -> None:
    with pytest.raises(SubjectNotFound, match="nobody-here/none-such is not on this machine"):
        load_subject("nobody-here/none-such", cache=cache)
    with pytest.raises(SubjectNotFound, match="asked to stay offline"):
        load_subject("nobody-here/none-such", cache=cache, offline=True)


def test_progress_goes_up_and_transformers_stays_silent(
    base: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[float] = []
    before = logging.is_progress_bar_enabled()
    load_subject(str(base), cache=cache, progress=lambda fraction, words: told.append(fraction))
    assert told == sorted(told) and told[-1] == 1.0
    assert capfd.readouterr() == ("", "")
    assert logging.is_progress_bar_enabled() == before


def test_the_device_comes_with_its_reason() -> None:
    assert choose_device("cpu").reason == "asked for"
    assert choose_device().reason and choose_device().dtype is torch.float32
    for asked, dtype in (("cpu", "bfloat16"), ("cpu", "float8"), ("tpu", "float32"), ("cuda:99", "float32")):
        with pytest.raises(UsageError, match=r"cpu|cuda"):
            choose_device(asked, dtype)


def test_finding_a_model_needs_no_torch() -> None:
    code = "import sys, brainscan.subject.find, brainscan.subject.packaged; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
