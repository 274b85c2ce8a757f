"""Sites: addresses inside a subject, in one canonical spelling and the usual foreign ones.

Canonical text form is ``point.layer``, for example ``resid_post.12``; ``final_norm`` has no layer.
This file knows names only: which module of which model stands behind a site is a row in
``brainscan.subject.families``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from brainscan.core.errors import UnknownSite

POINTS: dict[str, str] = {
    "resid_pre": "residual stream entering the block  [batch, pos, d_model]",
    "resid_mid": "residual stream between attention and MLP  [batch, pos, d_model]",
    "resid_post": "residual stream leaving the block  [batch, pos, d_model]",
    "attn_out": "what attention adds to the residual stream  [batch, pos, d_model]",
    "mlp_in": "what the MLP reads, after its norm  [batch, pos, d_model]",
    "mlp_act": "MLP neurons, after the non-linearity (and gate)  [batch, pos, d_mlp]",
    "mlp_out": "what the MLP adds to the residual stream  [batch, pos, d_model]",
    "head_out": "each head's mix of values, before the output matrix  [batch, pos, head, d_head]",
    "attn_probs": "attention pattern  [batch, head, query, key]",
    "final_norm": "residual stream after the last norm, what the unembedding reads  [batch, pos, d_model]",
    "channel_pre": "channels of a vision model's convolution or linear map, before its non-linearity  [batch, pos, channel]",
    "channel": "the same after its non-linearity, what the next map reads  [batch, pos, channel]",
}
"""Every point of a language or vision subject, with its meaning and shape; an image's positions go row by row."""

WITHOUT_LAYER = frozenset({"final_norm"})

# (pattern, point): the layer, where there is one, is the group called "layer".
_FOREIGN: tuple[tuple[str, str], ...] = (
    (r"blocks\.(?P<layer>\d+)\.hook_resid_pre", "resid_pre"),
    (r"blocks\.(?P<layer>\d+)\.hook_in", "resid_pre"),  # TransformerLens 3 canonical
    (r"blocks\.(?P<layer>\d+)\.hook_resid_mid", "resid_mid"),
    (r"blocks\.(?P<layer>\d+)\.hook_resid_post", "resid_post"),
    (r"blocks\.(?P<layer>\d+)\.hook_out", "resid_post"),
    (r"blocks\.(?P<layer>\d+)\.(?:hook_attn_out|attn\.hook_out)", "attn_out"),
    (r"blocks\.(?P<layer>\d+)\.(?:hook_mlp_in|mlp\.hook_in)", "mlp_in"),
    (r"blocks\.(?P<layer>\d+)\.ln2\.hook_normalized", "mlp_in"),  # Gemma Scope transcoders
    (r"blocks\.(?P<layer>\d+)\.mlp\.hook_post", "mlp_act"),
    (r"blocks\.(?P<layer>\d+)\.(?:hook_mlp_out|mlp\.hook_out)", "mlp_out"),
    (r"blocks\.(?P<layer>\d+)\.attn\.hook_z", "head_out"),
    (r"z\.(?P<layer>\d+)", "head_out"),  # interp-engine
    (r"blocks\.(?P<layer>\d+)\.attn\.hook_pattern", "attn_probs"),
    (r"ln_final\.hook_(?:normalized|out)", "final_norm"),
    (
        r"(?:model\.|transformer\.|gpt_neox\.)(?:language_model\.)?(?:decoder\.)?(?:layers|h)\.(?P<layer>\d+)",
        "resid_post",
    ),
    (r"(?:layers|h)\.(?P<layer>\d+)", "resid_post"),
    (r"model\.norm|transformer\.ln_f|gpt_neox\.final_layer_norm", "final_norm"),
)


@dataclass(frozen=True, order=True)
class Site:
    """An address inside a subject: a point and, except for ``final_norm``, a layer counted from 0."""

    point: str
    layer: int | None = None

    @classmethod
    def parse(cls, text: str) -> Site:
        """Read a canonical or foreign spelling.

        Raises:
            UnknownSite: the spelling names no point, or lacks or has a layer that it should not.
        """
        text = text.strip()
        if text in WITHOUT_LAYER:
            return cls(text)
        canonical = re.fullmatch(r"(?P<point>[a-z_]+)\.(?P<layer>\d+)", text)
        if canonical and canonical["point"] in POINTS and canonical["point"] not in WITHOUT_LAYER:
            return cls(canonical["point"], int(canonical["layer"]))
        for pattern, point in _FOREIGN:
            if found := re.fullmatch(pattern, text):
                layer = found.groupdict().get("layer")
                return cls(point, None if layer is None else int(layer))
        raise UnknownSite(
            f"{text!r} is not an address inside a model.",
            f"Write point.layer, for example resid_post.12; the points are {', '.join(POINTS)}.",
        )

    def __str__(self) -> str:
        return self.point if self.layer is None else f"{self.point}.{self.layer}"
