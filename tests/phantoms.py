"""Phantoms: tiny random language models whose inside can be checked exactly, built offline from configs.

Every model has 4 layers, 4 heads (2 of keys and values where the family groups them), d_model 32 and
128 tokens. All weights are drawn anew from one seed, large enough that every layer, bias and norm
gain moves the logits. The tokenizer is one token per character, so that any ASCII text survives a
round trip; what it does not know becomes ``<unk>``.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

N_LAYERS, D_MODEL, N_HEADS, D_MLP, VOCAB = 4, 32, 4, 64, 128
MAX_POSITIONS = 4096

SPECIAL = ("<unk>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>")
_LETTERS = string.digits + string.ascii_letters + string.punctuation + " \n\t" + "äöüßéèçñ…–—“”’‘€£§°×µαβ"

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

_GROUPED = {
    "hidden_size": D_MODEL,
    "intermediate_size": D_MLP,
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": N_HEADS,
    "num_key_value_heads": 2,
    "max_position_embeddings": MAX_POSITIONS,
}
_SLIDING = {
    "head_dim": 8,
    "query_pre_attn_scalar": 8,
    "sliding_window": 16,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
}
_GPT = {"n_embd": D_MODEL, "n_layer": N_LAYERS, "n_head": N_HEADS, "n_inner": D_MLP, "n_positions": MAX_POSITIONS}
_NO_DROPOUT = {"attention_dropout": 0.0, "hidden_dropout": 0.0}

CONFIGS: dict[str, dict[str, Any]] = {
    "llama": {**_GROUPED},
    "gemma2": {**_GROUPED, **_SLIDING},
    "gemma3_text": {**_GROUPED, **_SLIDING},
    "gpt2": {**_GPT, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0},
    "gpt_neox": {**_GROUPED, **_NO_DROPOUT},
    "gptj": {**_GPT, "rotary_dim": 4, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0},
    "qwen2": {**_GROUPED},
    "qwen3": {**_GROUPED, "head_dim": 8},
    "mistral": {**_GROUPED, "sliding_window": None},
    "phi3": {**_GROUPED},
    "olmo2": {**_GROUPED},
    "falcon": {**_GROUPED, **_NO_DROPOUT, "bias": True, "parallel_attn": True, "multi_query": True},
    "bloom": {"hidden_size": D_MODEL, "n_layer": N_LAYERS, "n_head": N_HEADS, **_NO_DROPOUT},
    "opt": {
        "hidden_size": D_MODEL,
        "word_embed_proj_dim": D_MODEL,
        "ffn_dim": D_MLP,
        "num_hidden_layers": N_LAYERS,
        "num_attention_heads": N_HEADS,
        "max_position_embeddings": MAX_POSITIONS,
        "dropout": 0.0,
        **_NO_DROPOUT,
    },
}
"""model_type -> settings of its config class: one row for every family that brainscan lists."""

FAMILIES = tuple(CONFIGS)


def tiny_tokenizer(*, chat_template: bool = True) -> PreTrainedTokenizerFast:
    """A fast tokenizer of 128 tokens, one per character, that adds no token of its own."""
    tokens = dict.fromkeys((*SPECIAL, *_LETTERS))
    spare = (f"<spare{i}>" for i in range(VOCAB - len(tokens)))
    vocabulary = {token: i for i, token in enumerate((*tokens, *spare))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    backend.decoder = decoders.Fuse()
    backend.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token="</s>", padding_side="left"
    )
    if chat_template:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def tiny_model(
    model_type: str = "llama", *, seed: int = 0, attn: str | None = None, chat_template: bool = True, **settings: Any
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A seeded random model of a family, float32 and in eval mode, with its tokenizer.

    Args:
        model_type: a key of ``CONFIGS``.
        seed: equal seeds give equal weights.
        attn: transformers' attn_implementation, for example "eager"; None for the class's default.
        chat_template: False for a tokenizer without one.
        settings: fields of the config to change.
    """
    common = {"vocab_size": VOCAB, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    config = AutoConfig.for_model(model_type, **{**common, **CONFIGS[model_type], **settings})
    chosen = {} if attn is None else {"attn_implementation": attn}
    model = AutoModelForCausalLM.from_config(config, **chosen).float().eval()
    model.requires_grad_(False)
    _draw_weights(model, seed)
    return model, tiny_tokenizer(chat_template=chat_template)


def tiny_folder(folder: Path, model_type: str = "llama", **options: Any) -> Path:
    """Save ``tiny_model(model_type, **options)`` with its tokenizer as a safetensors folder."""
    model, tokenizer = tiny_model(model_type, **options)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def tiny_llama(folder: Path, **options: Any) -> Path:
    """Save a tiny Llama with its tokenizer as a safetensors folder."""
    return tiny_folder(folder, "llama", **options)


def tiny_lora(base: Path, folder: Path, *, seed: int = 1, rank: int = 2) -> Path:
    """Save a random PEFT LoRA adapter over the query, value and down projections of a tiny Llama."""
    from peft import LoraConfig, get_peft_model

    model = AutoModelForCausalLM.from_pretrained(base)
    lora = LoraConfig(
        r=rank, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM", bias="none"
    )
    wrapped = get_peft_model(model, lora)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in wrapped.named_parameters():
            if "lora_" in name:
                weight.copy_(0.2 * torch.randn(weight.shape, generator=generator))
    wrapped.save_pretrained(str(folder))
    return Path(folder)


def edit_json(path: Path, **fields: Any) -> None:
    """Change top-level fields of a JSON file; a value of None removes the field."""
    content = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def _draw_weights(model: PreTrainedModel, seed: int) -> None:
    """Matrices: N(0, 0.2). Vectors (norm gains, biases): their initial value plus N(0, 0.1)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(0.2 * noise if weight.ndim > 1 else weight + 0.1 * noise)
