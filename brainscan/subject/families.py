"""Families of language models as one table of data: which module stands behind which site.

A port is written ``module.path:side`` relative to a block, side being ``in`` (first input) or
``out`` (output; ``out.-1`` for the last of several). There is ONE hook implementation
(``brainscan.subject.hooks``) and it reads this table; a new family is a new row.

``resid_mid`` has no port of its own: it is resid_pre + attn_out in every family whose blocks are
sequential, and does not exist where attention and MLP read the same stream (``parallel``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from brainscan.core.errors import UnknownFamily


@dataclass(frozen=True)
class Family:
    """One row: module paths of an architecture."""

    name: str
    model_types: tuple[str, ...]
    """Values of ``config.model_type`` that this row covers."""
    body: str
    """Path from the causal LM to the module that holds blocks and final norm."""
    layers: str
    final_norm: str
    embed: str
    ports: Mapping[str, str]
    """Point -> port, relative to a block."""
    parallel: str | bool = False
    """True, False, or the name of the config flag that says so."""
    no_resid_mid_if: tuple[str, bool] | None = None
    """(config flag, value) under which norms sit inside the residual stream."""
    flat_mlp: bool = False
    """The MLP sees [batch * pos, d] instead of [batch, pos, d]."""
    source: str = "table"
    """ "table", or "structure" when the row was found by looking at an unknown model."""

    def is_parallel(self, config: Any) -> bool:
        """Whether attention and MLP read the same stream in a model with this config."""
        return bool(getattr(config, self.parallel)) if isinstance(self.parallel, str) else self.parallel

    def has_resid_mid(self, config: Any) -> bool:
        """Whether a stream between attention and MLP exists."""
        if self.is_parallel(config):
            return False
        if self.no_resid_mid_if is None:
            return True
        flag, value = self.no_resid_mid_if
        return getattr(config, flag, not value) != value


_LLAMA = Family(
    name="llama",
    model_types=("llama", "smollm3"),
    body="model",
    layers="layers",
    final_norm="norm",
    embed="embed_tokens",
    ports={
        "attn_out": "self_attn:out",
        "head_out": "self_attn.o_proj:in",
        "attn_probs": "self_attn:out.-1",
        "mlp_in": "mlp:in",
        "mlp_act": "mlp.down_proj:in",
        "mlp_out": "mlp:out",
    },
)

# Their blocks normalise what attention and MLP write before adding it to the stream.
_NORMED_WRITES = {
    **_LLAMA.ports,
    "attn_out": "post_attention_layernorm:out",
    "mlp_out": "post_feedforward_layernorm:out",
}

FAMILIES: tuple[Family, ...] = (
    _LLAMA,
    replace(_LLAMA, name="mistral", model_types=("mistral",)),
    replace(_LLAMA, name="qwen", model_types=("qwen2", "qwen3")),
    replace(_LLAMA, name="phi3", model_types=("phi3",)),
    replace(_LLAMA, name="gemma", model_types=("gemma2", "gemma3_text"), ports=_NORMED_WRITES),
    replace(_LLAMA, name="olmo2", model_types=("olmo2", "olmo3"), ports=_NORMED_WRITES),
    Family(
        name="gpt2",
        model_types=("gpt2",),
        body="transformer",
        layers="h",
        final_norm="ln_f",
        embed="wte",
        ports={
            "attn_out": "attn:out",
            "head_out": "attn.c_proj:in",
            "attn_probs": "attn:out.-1",
            "mlp_in": "mlp:in",
            "mlp_act": "mlp.c_proj:in",
            "mlp_out": "mlp:out",
        },
    ),
    Family(
        name="gpt-neox",
        model_types=("gpt_neox",),
        body="gpt_neox",
        layers="layers",
        final_norm="final_layer_norm",
        embed="embed_in",
        ports={
            "attn_out": "attention:out",
            "head_out": "attention.dense:in",
            "attn_probs": "attention:out.-1",
            "mlp_in": "mlp:in",
            "mlp_act": "mlp.dense_4h_to_h:in",
            "mlp_out": "mlp:out",
        },
        parallel="use_parallel_residual",
    ),
    Family(
        name="gpt-j",
        model_types=("gptj",),
        body="transformer",
        layers="h",
        final_norm="ln_f",
        embed="wte",
        ports={
            "attn_out": "attn:out",
            "head_out": "attn.out_proj:in",
            "attn_probs": "attn:out.-1",
            "mlp_in": "mlp:in",
            "mlp_act": "mlp.fc_out:in",
            "mlp_out": "mlp:out",
        },
        parallel=True,
    ),
    Family(
        name="falcon",
        model_types=("falcon",),
        body="transformer",
        layers="h",
        final_norm="ln_f",
        embed="word_embeddings",
        ports={
            "attn_out": "self_attention:out",
            "head_out": "self_attention.dense:in",
            "attn_probs": "self_attention:out.-1",
            "mlp_in": "mlp:in",
            "mlp_act": "mlp.dense_4h_to_h:in",
            "mlp_out": "mlp:out",
        },
        parallel="parallel_attn",
    ),
    Family(
        name="bloom",
        model_types=("bloom",),
        body="transformer",
        layers="h",
        final_norm="ln_f",
        embed="word_embeddings",
        # Bloom's attention and MLP modules add the residual themselves, so the last matrices are the ports.
        ports={
            "attn_out": "self_attention.dense:out",
            "head_out": "self_attention.dense:in",
            "attn_probs": "self_attention:out.-1",
            "mlp_in": "mlp:in",
            "mlp_act": "mlp.dense_4h_to_h:in",
            "mlp_out": "mlp.dense_4h_to_h:out",
        },
        no_resid_mid_if=("apply_residual_connection_post_layernorm", True),
    ),
    Family(
        name="opt",
        model_types=("opt",),
        body="model.decoder",
        layers="layers",
        final_norm="final_layer_norm",
        embed="embed_tokens",
        ports={
            "attn_out": "self_attn:out",
            "head_out": "self_attn.out_proj:in",
            "attn_probs": "self_attn:out.-1",
            "mlp_in": "fc1:in",
            "mlp_act": "fc2:in",
            "mlp_out": "fc2:out",
        },
        no_resid_mid_if=("do_layer_norm_before", False),
        flat_mlp=True,
    ),
)


@dataclass(frozen=True)
class _Names:
    """Words by which the parts of an unknown block are recognised."""

    attention: tuple[str, ...] = ("self_attn", "attn", "attention", "self_attention")
    mlp: tuple[str, ...] = ("mlp", "feed_forward", "ffn")
    norm: tuple[str, ...] = ("norm", "ln_f", "final_layernorm", "final_layer_norm", "ln_out")
    embed: tuple[str, ...] = ("embed_tokens", "wte", "embed_in", "word_embeddings", "tok_embeddings")
    head_matrix: tuple[str, ...] = ("o_proj", "out_proj", "c_proj", "dense", "wo")
    mlp_matrix: tuple[str, ...] = ("down_proj", "c_proj", "fc_out", "dense_4h_to_h", "w2", "fc2")


def family_of(model: Any) -> Family:
    """The row for a loaded causal LM: from the table by ``config.model_type``, else by structure.

    Raises:
        UnknownFamily: no row, and the structure does not single out one list of blocks.
    """
    kind = getattr(model.config, "model_type", "")
    for family in FAMILIES:
        if kind in family.model_types:
            return family
    return _by_structure(model, kind)


def _by_structure(model: Any, kind: str) -> Family:
    names = _Names()
    blocks = _block_lists(model)
    if len(blocks) != 1:
        found = "no list of blocks" if not blocks else f"{len(blocks)} lists of blocks ({', '.join(blocks)})"
        raise _unknown(kind, f"{found} of the length that the config gives was found")
    body, _, layers = blocks[0].rpartition(".")
    holder = model.get_submodule(body)
    children = dict(holder.named_children())
    norm = [name for name in names.norm if name in children]
    embed = [name for name in names.embed if name in children]
    if len(norm) != 1 or len(embed) != 1:
        raise _unknown(kind, f"beside {blocks[0]!r} there is not exactly one final norm and one embedding")
    ports = _ports_by_structure(holder.get_submodule(layers)[0], names)
    # Nothing proves that an unknown block is sequential, so resid_mid is not offered.
    return Family(
        f"{kind} (by structure)", (kind,), body, layers, norm[0], embed[0], ports, parallel=True, source="structure"
    )


def _block_lists(model: Any) -> list[str]:
    depth = getattr(model.config, "num_hidden_layers", None)
    return [
        name
        for name, module in model.named_modules()
        if type(module).__name__ == "ModuleList"
        and len(module) == depth
        and len({type(child) for child in module}) == 1
        and len(list(module[0].children())) > 1
    ]


def _ports_by_structure(block: Any, names: _Names) -> dict[str, str]:
    children = dict(block.named_children())
    attention = [name for name in names.attention if name in children]
    mlp = [name for name in names.mlp if name in children]
    ports: dict[str, str] = {}
    # A norm after attention or MLP would make "what is added" ambiguous: offer only what is read.
    if len(attention) == 1:
        inner = [n for n, _ in children[attention[0]].named_children() if n in names.head_matrix]
        if len(inner) == 1:
            ports["head_out"] = f"{attention[0]}.{inner[0]}:in"
    if len(mlp) == 1:
        ports["mlp_in"] = f"{mlp[0]}:in"
        inner = [n for n, _ in children[mlp[0]].named_children() if n in names.mlp_matrix]
        if len(inner) == 1:
            ports["mlp_act"] = f"{mlp[0]}.{inner[0]}:in"
    return ports


def _unknown(kind: str, why: str) -> UnknownFamily:
    return UnknownFamily(
        f"The architecture {kind!r} has no row in the table of families and cannot be read by structure: {why}.",
        "Add a Family row to brainscan/subject/families.py with: body, layers, final_norm, embed, and the ports attn_out, "
        "head_out, attn_probs, mlp_in, mlp_act, mlp_out (module path and :in or :out); docs/architecture.md shows one.",
    )
