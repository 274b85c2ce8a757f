"""Phantoms: tiny random language models whose inside can be checked exactly, built offline from configs.

Every model has 4 layers, 4 heads (2 of keys and values where the family groups them), d_model 32 and
128 tokens. All weights are drawn anew from one seed, large enough that every layer, bias and norm
gain moves the logits. The tokenizer is one token per character, so that any ASCII text survives a
round trip; what it does not know becomes ``<unk>``.
"""

from __future__ import annotations

import string
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from brainscan.core.provenance import SubjectCard, sha256_of_bytes
from brainscan.subject.language import LanguageSubject

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


def _draw_weights(model: PreTrainedModel, seed: int) -> None:
    """Matrices: N(0, 0.2). Vectors (norm gains, biases): their initial value plus N(0, 0.1)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(0.2 * noise if weight.ndim > 1 else weight + 0.1 * noise)


def phantom(model_type: str = "llama", **options: Any) -> LanguageSubject:
    """A tiny random subject, for tests, docs and writers of instruments.

    Args:
        model_type: a key of ``CONFIGS``.
        options: as for ``tiny_model``.
    """
    model, tokenizer = tiny_model(model_type, **options)
    return LanguageSubject(model, tokenizer, _card(model_type, model))


def _card(name: str, model: PreTrainedModel) -> SubjectCard:
    return SubjectCard(
        id=f"phantom:{name}",
        name=f"phantom-{name}",
        family=name,
        n_layers=N_LAYERS,
        d_model=D_MODEL,
        n_heads=N_HEADS,
        d_mlp=D_MLP,
        vocab_size=VOCAB,
        n_parameters=sum(weight.numel() for weight in model.parameters()),
        dtype="float32",
        device="cpu",
        device_reason="a phantom is tiny",
        has_chat_template=True,
        weights_sha256=sha256_of_bytes(b"".join(w.numpy().tobytes() for w in model.parameters())),
        tokenizer_sha256=sha256_of_bytes(name.encode()),
        files={},
    )
