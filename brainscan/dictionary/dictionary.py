"""The record of a trained dictionary: a learned set of features over one or more sites.

Orientation, everywhere in brainscan (foreign layouts are turned once, in ``formats``):

    x       [n, d_in]            activations read, n tokens
    W_enc   [d_in, n_features]   column f is what feature f listens to:  pre = x' @ W_enc + b_enc
    b_enc   [n_features]
    W_dec   [n_features, d_out]  row f is what feature f writes:         y' = codes @ W_dec + b_dec
    b_dec   [d_out]
    W_skip  [d_in, d_out]        straight path of a skip transcoder:     y' += x' @ W_skip

``x'`` and ``y'`` are the inside of the dictionary: after ``normalisation``, and for ``x'`` of the
encoder alone after ``b_dec`` was subtracted when ``apply_b_dec_to_input`` is set.

Many sites are laid side by side along the last axis, in the order of ``reads`` and ``writes``: a
crosscoder over s sites of width d has d_in = d_out = s * d. A cross-layer transcoder is one
dictionary a layer (``DictionarySet``): part i reads one site and writes several.

This file refuses to know training and files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import torch

from brainscan.core.errors import UsageError

Activation = Literal["relu", "topk", "jumprelu", "gated"]
Normalisation = Literal["none", "scale", "layer_norm", "unit_norm"]

_TURN = "Check the orientation: W_enc is [d_in, n_features], W_dec is [n_features, d_out]."
_TINY = 1e-5
"""Added to a spread before dividing by it, as SAELens does for layer_norm."""


@dataclass(frozen=True, eq=False)
class Codes:
    """Feature activations of n tokens in sparse form.

    ``indices`` [n, k] int64 and ``values`` [n, k], values >= 0. A token with fewer than k active
    features is filled up with value 0 (at any index), which adds nothing anywhere. No index with a
    value above 0 occurs twice in a row.
    """

    indices: torch.Tensor
    values: torch.Tensor
    n_features: int

    def dense(self) -> torch.Tensor:
        """The same as a dense tensor [n, n_features]."""
        out = self.values.new_zeros(self.values.shape[0], self.n_features)
        return out.scatter_add_(1, self.indices, self.values)

    @classmethod
    def of(cls, dense: torch.Tensor) -> Codes:
        """Sparse form of dense codes [n, n_features]; k is the largest number active at once (at least 1)."""
        k = max(1, int((dense > 0).sum(1).max())) if dense.numel() else 1
        values, indices = dense.topk(min(k, dense.shape[1]), dim=1)
        return cls(indices, values.clamp(min=0), dense.shape[1])

    @property
    def l0(self) -> torch.Tensor:
        """Active features of each token [n]."""
        return (self.values > 0).sum(1)


@dataclass(frozen=True, eq=False)
class Dictionary:
    """A trained dictionary, ready to read and write activations. All tensors share one device.

    Raises:
        UsageError: a shape disagrees with the others, or a part that the activation needs is missing.
    """

    kind: str
    """Name of the kind that it was trained as: relu, topk, batchtopk, jumprelu, gated, matryoshka,
    transcoder, skip_transcoder, cross_layer_transcoder (one part of a set), crosscoder."""
    activation: Activation
    """How codes come from pre-activations, see ``encode``. BatchTopK and Matryoshka become "jumprelu"."""
    W_enc: torch.Tensor  # [d_in, n_features]
    W_dec: torch.Tensor  # [n_features, d_out]
    b_enc: torch.Tensor  # [n_features]; gated: the bias of the magnitude
    b_dec: torch.Tensor  # [d_out]
    k: int | None = None
    """topk: codes kept a token. Else None, or as information what it was trained with."""
    threshold: torch.Tensor | None = None  # [n_features] float32, in the units of pre-activations (never a logarithm)
    apply_b_dec_to_input: bool = False
    """Subtract ``b_dec`` from the normalised input before the encoder; needs d_in = d_out."""
    normalisation: Normalisation = "none"
    """scale: inside = outside * scale_in, and outputs are divided by scale_out. layer_norm: each token to
    mean 0 and spread 1, undone on the output. unit_norm: each token to norm sqrt(d_in), undone likewise."""
    scale_in: float = 1.0
    scale_out: float = 1.0
    W_skip: torch.Tensor | None = None  # [d_in, d_out]
    r_mag: torch.Tensor | None = None  # [n_features] gated: logarithm of the magnitude's factor
    b_gate: torch.Tensor | None = None  # [n_features] gated: the bias of the gate
    widths: tuple[int, ...] = ()
    """Matryoshka: the nested prefixes, ascending, the last one n_features; else empty."""
    reads: tuple[str, ...] = ()
    """Sites read, as text ("resid_post.12"); several lie side by side in d_in."""
    writes: tuple[str, ...] = ()
    """Sites written; equal to ``reads`` for an autoencoder."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Facts to keep with it, JSON values only: subject, texts, tokens seen, seed, settings, foreign metadata."""

    @property
    def d_in(self) -> int:
        """Width of what is read, over all sites in ``reads``."""
        return self.W_enc.shape[0]

    @property
    def d_out(self) -> int:
        """Width of what is written, over all sites in ``writes``."""
        return self.W_dec.shape[1]

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.W_enc.shape[1]

    @property
    def is_transcoder(self) -> bool:
        """Whether it writes somewhere else than it reads."""
        return self.reads != self.writes

    def __post_init__(self) -> None:
        for name in ("W_enc", "W_dec"):
            if (found := getattr(self, name)).ndim != 2:
                raise UsageError(f"{name} of this dictionary is {list(found.shape)}, which is no matrix.", _TURN)
        wanted: dict[str, tuple[int, ...]] = {
            "W_enc": (self.d_in, self.n_features),
            "W_dec": (self.n_features, self.d_out),
            "b_dec": (self.d_out,),
            "W_skip": (self.d_in, self.d_out),
            **dict.fromkeys(("b_enc", "threshold", "r_mag", "b_gate"), (self.n_features,)),
        }
        for name, shape in wanted.items():
            tensor = getattr(self, name)
            if tensor is not None and tuple(tensor.shape) != shape:
                raise UsageError(
                    f"{name} of this dictionary is {list(tensor.shape)} and should be {list(shape)}.",
                    _TURN,
                )
        self._check_parts()

    def _check_parts(self) -> None:
        needs = {"topk": ("k",), "jumprelu": ("threshold",), "gated": ("r_mag", "b_gate")}
        for name in needs.get(self.activation, ()):
            if getattr(self, name) is None:
                raise UsageError(f"A {self.activation} dictionary needs {name}.", f"Give {name}.")
        if self.threshold is not None and self.threshold.dtype != torch.float32:
            raise UsageError("Thresholds live in float32: in bfloat16 they stop learning.", "Convert threshold first.")
        if self.apply_b_dec_to_input and self.d_in != self.d_out:
            raise UsageError(
                f"b_dec has width {self.d_out} and cannot be subtracted from an input of width {self.d_in}.",
                "Set apply_b_dec_to_input to False.",
            )

    # --- running --------------------------------------------------------------------------

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Dense codes [n, n_features], all >= 0, of activations [n, d_in].

        With pre = x' @ W_enc + b_enc:

        - relu: max(pre, 0).
        - topk: the k largest of max(pre, 0) of each token, the rest 0.
        - jumprelu: max(pre, 0) where pre > threshold, else 0.
        - gated: with g = x' @ W_enc, max(exp(r_mag) * g + b_enc, 0) where g + b_gate > 0, else 0.
        """
        if self.activation == "gated":
            assert self.r_mag is not None and self.b_gate is not None
            gate = self._read(x) @ self.W_enc
            return torch.relu(self.r_mag.exp() * gate + self.b_enc) * (gate + self.b_gate > 0)
        pre = self.pre_activations(x)
        if self.activation == "jumprelu":
            assert self.threshold is not None
            return torch.relu(pre) * (pre > self.threshold)
        if self.activation == "topk":
            assert self.k is not None
            values, indices = torch.relu(pre).topk(min(self.k, self.n_features), dim=-1)
            return torch.zeros_like(pre).scatter_(-1, indices, values)
        return torch.relu(pre)

    def encode_sparse(self, x: torch.Tensor) -> Codes:
        """The codes of ``encode`` in sparse form."""
        if self.activation != "topk":
            return Codes.of(self.encode(x))
        assert self.k is not None
        values, indices = torch.relu(self.pre_activations(x)).topk(min(self.k, self.n_features), dim=-1)
        return Codes(indices, values, self.n_features)

    def pre_activations(self, x: torch.Tensor) -> torch.Tensor:
        """x' @ W_enc + b_enc [n, n_features]; for gated the magnitude, without its gate."""
        pre = self._read(x) @ self.W_enc
        return (pre if self.r_mag is None else self.r_mag.exp() * pre) + self.b_enc

    def decode(self, codes: torch.Tensor | Codes, x: torch.Tensor | None = None) -> torch.Tensor:
        """What the codes (dense [n, n_features] or sparse) write: activations [n, d_out].

        Args:
            x: the activations read [n, d_in]. Needed by a skip path, and by layer_norm and unit_norm to
               undo what they did to each token; ignored otherwise.

        Raises:
            UsageError: ``x`` is needed and was not given.
        """
        inside = self._write_codes(codes) + self.b_dec
        if self.W_skip is not None:
            inside = inside + self._normalised(self._needed(x, "the skip path")) @ self.W_skip
        return self._undo(inside, x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Reconstruction (or prediction, for a transcoder) [n, d_out] of activations [n, d_in]."""
        return self.decode(self.encode(x), x)

    __call__ = forward

    # --- changing -------------------------------------------------------------------------

    def tensors(self) -> dict[str, torch.Tensor]:
        """Every tensor that it has, by field name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}

    def tensors_sha256(self) -> str:
        """A hash of every tensor: two dictionaries with the same one compute with the same numbers."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.tensors().items()):
            digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def to(self, device: torch.device | str) -> Dictionary:
        """The same on another device."""
        moved: dict[str, Any] = {name: tensor.to(device) for name, tensor in self.tensors().items()}
        return replace(self, **moved)

    def folded(self) -> Dictionary:
        """An equal dictionary whose ``scale`` normalisation is folded into its weights; others come back as they are.

        Codes keep their values, so thresholds and labels stay valid; rows of W_dec change length.
        """
        if self.normalisation != "scale":
            return self
        b_enc, shift = self.b_enc, self.apply_b_dec_to_input
        if shift:  # (s*x - b) @ W + c = s*x @ W + (c - b @ W): the shift moves into the encoder's bias
            b_enc = b_enc - (self.b_dec @ self.W_enc) * (1 if self.r_mag is None else self.r_mag.exp())
        b_gate = self.b_gate if self.b_gate is None or not shift else self.b_gate - self.b_dec @ self.W_enc
        return replace(
            self,
            W_enc=self.W_enc * self.scale_in,
            b_enc=b_enc,
            b_gate=b_gate,
            W_dec=self.W_dec / self.scale_out,
            b_dec=self.b_dec / self.scale_out,
            W_skip=None if self.W_skip is None else self.W_skip * (self.scale_in / self.scale_out),
            apply_b_dec_to_input=False,
            normalisation="none",
            scale_in=1.0,
            scale_out=1.0,
        )

    def unit_decoder(self) -> Dictionary:
        """An equal dictionary whose rows of W_dec have norm 1; codes are multiplied by the old norms.

        A top-k dictionary selects by code, so the result is equal only where the norms were equal before:
        fold before training or selection, not after, unless the source selects by code times norm.
        """
        norm = self.W_dec.norm(dim=1).clamp(min=1e-12)
        gated = self.r_mag is not None
        return replace(
            self,
            W_enc=self.W_enc if gated else self.W_enc * norm,
            b_enc=self.b_enc * norm,
            r_mag=self.r_mag + norm.log() if self.r_mag is not None else None,
            threshold=None if self.threshold is None else self.threshold * norm.float(),
            W_dec=self.W_dec / norm[:, None],
        )

    # --- inside ---------------------------------------------------------------------------

    def _normalised(self, x: torch.Tensor) -> torch.Tensor:
        if self.normalisation == "scale":
            return x * self.scale_in
        if self.normalisation == "none":
            return x
        shift, spread = self._moments(x)
        return (x - shift) / spread

    def _moments(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.normalisation == "unit_norm":
            return torch.zeros_like(x[..., :1]), (x.norm(dim=-1, keepdim=True) / self.d_in**0.5).clamp(min=1e-12)
        mean = x.mean(-1, keepdim=True)
        return mean, (x - mean).std(-1, keepdim=True) + _TINY

    def _read(self, x: torch.Tensor) -> torch.Tensor:
        inside = self._normalised(x.to(self.W_enc.dtype))
        return inside - self.b_dec if self.apply_b_dec_to_input else inside

    def _write_codes(self, codes: torch.Tensor | Codes) -> torch.Tensor:
        if isinstance(codes, Codes):
            return torch.nn.functional.embedding_bag(
                codes.indices, self.W_dec, per_sample_weights=codes.values.to(self.W_dec.dtype), mode="sum"
            )
        return codes.to(self.W_dec.dtype) @ self.W_dec

    def _undo(self, inside: torch.Tensor, x: torch.Tensor | None) -> torch.Tensor:
        if self.normalisation == "none":
            return inside
        if self.normalisation == "scale":
            return inside / self.scale_out
        shift, spread = self._moments(self._needed(x, self.normalisation))
        return inside * spread + shift

    def _needed(self, x: torch.Tensor | None, what: str) -> torch.Tensor:
        if x is None:
            raise UsageError(f"Decoding needs the activations that were read, for {what}.", "Call decode(codes, x).")
        return x


@dataclass(frozen=True, eq=False)
class DictionarySet:
    """Dictionaries that work together: a cross-layer transcoder, or one transcoder a layer.

    Activations go in and out as a mapping from site (text) to [n, d]. What several parts write to one
    site is summed, so ``b_dec`` of a site belongs to one part only: in a cross-layer transcoder part i
    holds the bias of its first written site, and its other biases are 0.
    """

    kind: str
    """cross_layer_transcoder, or the kind of its parts."""
    parts: tuple[Dictionary, ...]
    """In the order of depth."""
    about: Mapping[str, Any] = field(default_factory=dict)

    def encode(self, x: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Dense codes [n, n_features] of each part."""
        return tuple(part.encode(side_by_side(x, part.reads)) for part in self.parts)

    def forward(self, x: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What the parts write, summed, one tensor [n, d] a written site."""
        out: dict[str, torch.Tensor] = {}
        for part in self.parts:
            written = part.forward(side_by_side(x, part.reads)).chunk(len(part.writes), dim=-1)
            for site, piece in zip(part.writes, written, strict=True):
                out[site] = out[site] + piece if site in out else piece
        return out

    __call__ = forward


def side_by_side(x: Mapping[str, torch.Tensor], sites: tuple[str, ...]) -> torch.Tensor:
    """Activations of several sites [n, d] each, along the last axis [n, sites * d].

    Raises:
        UsageError: a site is missing.
    """
    if missing := [site for site in sites if site not in x]:
        raise UsageError(f"There are no activations of {', '.join(missing)}.", f"Given were {', '.join(x)}.")
    return x[sites[0]] if len(sites) == 1 else torch.cat([x[site] for site in sites], dim=-1)
