"""circuit-tracer's own attribution graphs of models and transcoders on disk. Runs in its environment; imports nothing of ours.

stdin: {"graphs": a list of questions}, each {"model": folder of transformers, "transcoders": folder in its format, "ids": [token ids], "nodes": most features or
null, "batch": rows of one backward pass, "interval": passes between rankings, "out": an .npz to write, "read": graph JSON of ours, which its schema must read}
stdout: {"graphs": a list of answers}, each {"seconds": attribution alone, "nodes": features attributed, "replacement": ..., "completeness": ..., "version": ...,
"logit_gap": largest difference of its logits from transformers'}
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from circuit_tracer.attribution.attribute_transformerlens import attribute
from circuit_tracer.frontend.graph_models import Model
from circuit_tracer.graph import compute_graph_scores, prune_graph
from circuit_tracer.replacement_model.replacement_model_transformerlens import TransformerLensReplacementModel
from circuit_tracer.transcoder.single_layer_transcoder import load_transcoder_set
from transformer_lens import HookedTransformerConfig
from transformer_lens.pretrained import weight_conversions as conversions
from transformers import AutoModelForCausalLM


class Letters:
    """What it asks of a tokenizer, for prompts given as ids that begin with a special token."""

    padding_side = "right"

    def __init__(self, first: int, vocab_size: int) -> None:
        self.vocab_size = vocab_size
        self.all_special_ids, self.bos_token_id, self.pad_token_id, self.eos_token_id = [first], first, first, first

    def decode(self, ids: Any) -> str:
        return " ".join(map(str, torch.as_tensor(ids).flatten().tolist()))


def main() -> None:
    answers = [answered(question) for question in json.load(sys.stdin)["graphs"]]
    print(json.dumps({"graphs": answers}))


def answered(asked: dict[str, Any]) -> dict[str, Any]:
    """One graph, written to disk, and what is said of it."""
    theirs = AutoModelForCausalLM.from_pretrained(asked["model"], dtype=torch.float32, attn_implementation="eager")
    model = replacement(theirs.eval(), Path(asked["transcoders"]), asked["ids"][0])
    ids = torch.tensor(asked["ids"])
    with torch.no_grad():
        gap = float((model(ids[None]) - theirs(ids[None]).logits).abs().max())
    del theirs
    start = time.perf_counter()
    graph = attribute(
        ids, model, max_feature_nodes=asked["nodes"], batch_size=asked["batch"], update_interval=asked["interval"]
    )
    seconds = time.perf_counter() - start
    pruned = prune_graph(graph)
    np.savez(
        asked["out"], adjacency=graph.adjacency_matrix.numpy(), active=graph.active_features.numpy(),
        selected=graph.selected_features.numpy(), targets=np.array([t.vocab_idx for t in graph.logit_targets]),
        probabilities=graph.logit_probabilities.detach().numpy(), nodes=pruned.node_mask.numpy(),
        edges=pruned.edge_mask.numpy(),
    )  # fmt: skip
    replaced, complete = compute_graph_scores(graph)
    Model.model_validate_json(Path(asked["read"]).read_text())
    return {
        "seconds": seconds, "nodes": len(graph.selected_features), "replacement": replaced, "completeness": complete,
        "version": importlib.metadata.version("circuit-tracer"), "logit_gap": gap,
    }  # fmt: skip


def replacement(hf: Any, folder: Path, first: int) -> TransformerLensReplacementModel:
    """Its replacement model, from a model of transformers and a folder of transcoders."""
    settings, convert = SHAPES[hf.config.model_type](hf.config)
    config = HookedTransformerConfig(
        **settings, n_layers=hf.config.num_hidden_layers, d_vocab=hf.config.vocab_size, n_ctx=256,
        device="cpu", dtype=torch.float32, model_name=hf.config.model_type, seed=0,
    )  # fmt: skip
    model = TransformerLensReplacementModel(config, tokenizer=None)
    missing = model.load_state_dict(convert(hf, config), strict=False)
    assert not missing.unexpected_keys, missing.unexpected_keys
    written = yaml.safe_load((folder / "config.yaml").read_text())
    transcoders = load_transcoder_set(
        {i: str(folder / f"layer_{i}.safetensors") for i in range(config.n_layers)}, "ours",
        written["feature_input_hook"], written["feature_output_hook"], dtype=torch.float32,
        lazy_encoder=False, lazy_decoder=False,
    )  # fmt: skip
    model._configure_replacement_model(transcoders)
    model.tokenizer = Letters(first, config.d_vocab)
    return model


def _llama(c: Any) -> tuple[dict[str, Any], Any]:
    width = c.hidden_size // c.num_attention_heads
    grouped = c.num_key_value_heads if c.num_key_value_heads != c.num_attention_heads else None
    return {
        "d_model": c.hidden_size, "d_head": width, "n_heads": c.num_attention_heads, "d_mlp": c.intermediate_size,
        "eps": c.rms_norm_eps, "act_fn": getattr(c, "hidden_act", None) or c.hidden_activation, "n_key_value_heads": grouped, "normalization_type": "RMS",
        "positional_embedding_type": "rotary", "rotary_adjacent_pairs": False, "rotary_dim": width,
        "rotary_base": int(c.rope_theta), "final_rms": True, "gated_mlp": True,
    }, conversions.convert_llama_weights  # fmt: skip


def _gemma2(c: Any) -> tuple[dict[str, Any], Any]:
    settings, _ = _llama(c)
    return {
        **settings, "d_head": c.head_dim, "rotary_dim": c.head_dim, "act_fn": "gelu_pytorch_tanh",
        "attn_scale": c.query_pre_attn_scalar**0.5, "n_key_value_heads": c.num_key_value_heads,
        "window_size": c.sliding_window, "use_local_attn": True, "attn_types": ["local", "global"] * (c.num_hidden_layers // 2),
        "attn_scores_soft_cap": c.attn_logit_softcapping, "output_logits_soft_cap": c.final_logit_softcapping,
        "use_normalization_before_and_after": True,
    }, conversions.convert_gemma_weights  # fmt: skip


def _gpt2(c: Any) -> tuple[dict[str, Any], Any]:
    return {
        "d_model": c.n_embd, "d_head": c.n_embd // c.n_head, "n_heads": c.n_head, "d_mlp": c.n_inner or 4 * c.n_embd,
        "eps": c.layer_norm_epsilon, "act_fn": c.activation_function, "normalization_type": "LN",
    }, _gpt2_weights  # fmt: skip


def _gpt2_weights(hf: Any, config: Any) -> dict[str, torch.Tensor]:
    state = conversions.convert_gpt2_weights(hf, config)
    state["pos_embed.W_pos"] = state["pos_embed.W_pos"][: config.n_ctx]
    return state


SHAPES = {"llama": _llama, "gemma2": _gemma2, "gpt2": _gpt2}

if __name__ == "__main__":
    main()
