"""SAELens folders: ``cfg.json`` + ``sae_weights.safetensors``, of version 6 and of the flat configs before it.

Its arithmetic (sae_lens/saes): x is normalised, ``b_dec`` subtracted if ``apply_b_dec_to_input``, encoded,
decoded, ``b_dec`` added, normalisation undone. ``expected_average_only_in`` is not done by the SAE itself:
its factor lies in ``activation_scaler.json`` and is folded here. ``rescale_acts_by_decoder_norm`` (top-k)
selects and reports codes times the norms of the decoder's rows, which is a unit-norm decoder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from brainscan.core.errors import RecordError, UsageError
from brainscan.core.files import folder_atomic
from brainscan.dictionary.dictionary import Activation, Dictionary, Normalisation
from brainscan.dictionary.formats.format import AnyDictionary, one
from brainscan.dictionary.formats.safe import Tensors, one_of, read_json_file, read_safetensors, whole
from brainscan.dictionary.formats.sites import hook_name, site_name

CONFIG, WEIGHTS, SCALER = "cfg.json", "sae_weights.safetensors", "activation_scaler.json"
_VERSION = "6.49.2"
_ACTIVATIONS: dict[str, Activation] = {
    "standard": "relu",
    "topk": "topk",
    "batchtopk": "jumprelu",
    "jumprelu": "jumprelu",
    "gated": "gated",
    "transcoder": "relu",
    "skip_transcoder": "relu",
    "jumprelu_transcoder": "jumprelu",
    "jumprelu_skip_transcoder": "jumprelu",
}
_NORMALISATIONS: dict[str, Normalisation] = {
    "none": "none",
    "expected_average_only_in": "scale",
    "constant_norm_rescale": "unit_norm",
    "layer_norm": "layer_norm",
}
_TENSORS = ("W_enc", "W_dec", "b_enc", "b_dec", "threshold", "b_gate", "b_mag", "r_mag", "W_skip")


class SAELens:
    """A folder as SAELens saves it for inference."""

    name = "saelens"
    title = "SAELens folder"
    writes = True

    def recognises(self, path: Path) -> bool:
        """A folder with both files."""
        return (path / CONFIG).is_file() and (path / WEIGHTS).is_file()

    def read(self, path: Path) -> AnyDictionary:
        """Read either version; see ``Format.read``."""
        config = read_json_file(path / CONFIG)
        tensors = read_safetensors(path / WEIGHTS)
        metadata = config["metadata"] if isinstance(config.get("metadata"), dict) else config
        architecture = _architecture(config, tensors, path)
        activation = _ACTIVATIONS[architecture]
        normalisation, scale = _normalisation(config, path)
        reads = site_name(metadata.get("hook_name") or metadata.get("hook_point"))
        transcoder = "transcoder" in architecture
        found = Dictionary(
            kind=_kind(architecture),
            activation=activation,
            W_enc=one_of(tensors, path, "W_enc"),
            W_dec=_decoder(tensors, path),
            b_enc=one_of(tensors, path, "b_mag" if activation == "gated" else "b_enc"),
            b_dec=one_of(tensors, path, "b_dec"),
            k=_k(config, path) if activation == "topk" else None,
            threshold=_threshold(tensors, path) if activation == "jumprelu" else None,
            apply_b_dec_to_input=bool(config.get("apply_b_dec_to_input", not transcoder)) and not transcoder,
            normalisation=normalisation,
            scale_in=scale,
            scale_out=scale,
            W_skip=one_of(tensors, path, "W_skip").T.contiguous() if "skip" in architecture else None,
            r_mag=tensors.get("r_mag") if activation == "gated" else None,
            b_gate=tensors.get("b_gate") if activation == "gated" else None,
            reads=reads,
            writes=site_name(metadata.get("hook_name_out")) if transcoder else reads,
            about={"format": self.name, "config": config},
        )
        rescaled = activation == "topk" and config.get("rescale_acts_by_decoder_norm")
        return found.unit_decoder() if rescaled else found

    def write(self, dictionary: AnyDictionary, path: Path) -> None:
        """Write version 6; a factor of normalisation is folded into the weights. See ``Format.write``."""
        d = one(dictionary, self.name).folded()
        architecture = _architecture_of(d)
        names = {"b_enc": "b_mag"} if d.activation == "gated" else {}
        tensors = {names.get(n, n): (t.T if n == "W_skip" else t).contiguous().cpu() for n, t in d.tensors().items()}
        if d.activation != "jumprelu":
            tensors.pop("threshold", None)
        with folder_atomic(path, CONFIG) as folder:
            (folder / WEIGHTS).write_bytes(save({n: t for n, t in tensors.items() if n in _TENSORS}))
            (folder / CONFIG).write_text(json.dumps(_config(d, architecture), indent=1), encoding="utf-8")


def _architecture(config: dict[str, Any], tensors: Tensors, path: Path) -> str:
    """The architecture as version 6 names it; old configs say top-k through ``activation_fn_str``."""
    named = str(config.get("architecture", "standard"))
    if named == "standard" and config.get("activation_fn_str", config.get("activation_fn")) == "topk":
        named = "topk"
    if named == "batchtopk" and "threshold" not in tensors:
        named = "topk"
    if named == "matryoshka_batchtopk":
        named = "batchtopk"
    if named not in _ACTIVATIONS:
        raise RecordError(
            f"{path} has the architecture {named!r}, which is not read here.", f"Known are {', '.join(_ACTIVATIONS)}."
        )
    return named


def _kind(architecture: str) -> str:
    plain = {"standard": "relu", "jumprelu_transcoder": "transcoder", "jumprelu_skip_transcoder": "skip_transcoder"}
    return plain.get(architecture, architecture)


def _k(config: dict[str, Any], path: Path) -> int:
    kwargs = config.get("activation_fn_kwargs")
    return whole(kwargs if isinstance(kwargs, dict) and "k" in kwargs else config, "k", path)


def _decoder(tensors: Tensors, path: Path) -> torch.Tensor:
    """Old fine-tuned SAEs multiply each code by ``scaling_factor`` before they decode."""
    decoder = one_of(tensors, path, "W_dec")
    factor = tensors.get("scaling_factor")
    return decoder if factor is None or factor.shape != decoder.shape[:1] else decoder * factor[:, None]


def _threshold(tensors: Tensors, path: Path) -> torch.Tensor:
    if "log_threshold" in tensors and "threshold" not in tensors:
        return tensors["log_threshold"].exp()
    found = one_of(tensors, path, "threshold", "topk_threshold")
    return found if found.ndim else found.expand(one_of(tensors, path, "b_enc").shape[0]).contiguous()


def _normalisation(config: dict[str, Any], path: Path) -> tuple[Normalisation, float]:
    named = config.get("normalize_activations", "none")
    if named not in (*_NORMALISATIONS, None, False, True):
        raise RecordError(f"{path} normalises by {named!r}, which is not read here.", "Fold it in SAELens first.")
    kind = _NORMALISATIONS.get(str(named), "none")
    if kind != "scale":
        return kind, 1.0
    scaler = path / SCALER
    factor = read_json_file(scaler).get("scaling_factor") if scaler.is_file() else None
    if factor is None:  # SAELens itself does nothing at this point, and neither do we
        return "none", 1.0
    if not isinstance(factor, int | float) or not factor > 0:
        raise RecordError(f"{scaler} holds no factor above 0.", "Copy or download the folder again.")
    return "scale", float(factor)


def _architecture_of(d: Dictionary) -> str:
    if len(d.reads) > 1 or len(d.writes) > 1:
        raise UsageError("SAELens has no dictionary of several sites.", "Write it as brainscan.")
    if not d.is_transcoder and d.d_in == d.d_out and d.W_skip is None:
        return {"relu": "standard", "topk": "topk", "jumprelu": "jumprelu", "gated": "gated"}[d.activation]
    if d.activation not in ("relu", "jumprelu") or d.apply_b_dec_to_input:
        raise UsageError(
            f"SAELens has no {d.activation} transcoder" + (" that subtracts b_dec." if d.apply_b_dec_to_input else "."),
            "Write it as brainscan or circuit-tracer.",
        )
    jump = "jumprelu_" if d.activation == "jumprelu" else ""
    return f"{jump}{'skip_' if d.W_skip is not None else ''}transcoder"


def _config(d: Dictionary, architecture: str) -> dict[str, Any]:
    inverse = {ours: theirs for theirs, ours in _NORMALISATIONS.items()}
    about = dict(d.about)
    metadata: dict[str, Any] = {
        "sae_lens_version": _VERSION,
        "sae_lens_training_version": None,
        "model_name": about.get("subject"),
        "hook_name": hook_name(d.reads[0]) if d.reads else None,
        "hook_head_index": None,
        "prepend_bos": bool(about.get("bos", False)),
        "context_size": about.get("context"),
        "made_by": "brainscan",
    }
    if "transcoder" in architecture:
        metadata["hook_name_out"] = hook_name(d.writes[0]) if d.writes else None
        metadata["hook_head_index_out"] = None
    config: dict[str, Any] = {
        "architecture": architecture,
        "d_in": d.d_in,
        "d_sae": d.n_features,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": d.apply_b_dec_to_input,
        "normalize_activations": inverse[d.normalisation],
        "reshape_activations": "hook_z" if d.reads and d.reads[0].startswith("head_out") else "none",
        "metadata": metadata,
    }
    if architecture == "topk":
        config |= {"k": d.k, "rescale_acts_by_decoder_norm": False}
    return config | ({"d_out": d.d_out} if "transcoder" in architecture else {})


FORMAT = SAELens()
