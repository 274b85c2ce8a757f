"""circuit-tracer folders: one transcoder a layer (PLT) or a cross-layer transcoder (CLT), with ``config.yaml``.

Encoders lie as [feature, d] there. A PLT's skip is ``x @ W_skip.T``, a CLT's is ``x @ W_skip``. Neither
subtracts ``b_dec`` from its input, so that is folded into ``b_enc`` on the way out. Its JumpReLU and top-k
have no relu: they differ from ours only where a threshold is below 0 or fewer than k codes are positive.
Its versions of early 2026 do not read a CLT's skip at all.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save

from brainscan.core.address import Site
from brainscan.core.errors import RecordError, UsageError
from brainscan.core.files import folder_atomic
from brainscan.dictionary.dictionary import Dictionary, DictionarySet
from brainscan.dictionary.formats.format import AnyDictionary
from brainscan.dictionary.formats.safe import MOST_JSON, one_of, read_safetensors
from brainscan.dictionary.formats.sites import hook_name, site_name

CONFIG = "config.yaml"
_PLT, _CLT = "transcoder_set", "cross_layer_transcoder"
_THRESHOLD = "activation_function.threshold"


class CircuitTracer:
    """A set of transcoders for a replacement model."""

    name = "circuit-tracer"
    title = "circuit-tracer folder"
    writes = True

    def recognises(self, path: Path) -> bool:
        """A folder with layer files of either kind."""
        return (path / "layer_0.safetensors").is_file() or (path / "W_enc_0.safetensors").is_file()

    def read(self, path: Path) -> AnyDictionary:
        """Read either kind as a set, in the order of layers; see ``Format.read``."""
        config = _config(path)
        cross = (path / "W_enc_0.safetensors").is_file()
        n = len(list(path.glob("W_enc_*.safetensors" if cross else "layer_*.safetensors")))
        parts = tuple(_clt_part(path, i, n, config) if cross else _plt_part(path, i, config) for i in range(n))
        if len({part.n_features for part in parts}) > 1:
            raise RecordError(f"The layers of {path} have different numbers of features.", "Copy the folder again.")
        kind = "cross_layer_transcoder" if cross else parts[0].kind
        return DictionarySet(kind, parts, {"format": self.name, "config": config})

    def write(self, dictionary: AnyDictionary, path: Path) -> None:
        """Write a set as CLT if it is one, else as PLT; see ``Format.write``."""
        if isinstance(dictionary, Dictionary):
            dictionary = DictionarySet(dictionary.kind, (dictionary,), dictionary.about)
        cross = dictionary.kind == "cross_layer_transcoder"
        parts = tuple(_plain(part, cross) for part in dictionary.parts)
        _check_layers(parts, cross)
        with folder_atomic(path, "W_enc_0.safetensors" if cross else "layer_0.safetensors") as folder:
            for i, part in enumerate(parts):
                for name, tensors in (_clt_files(part, i) if cross else _plt_files(part, i)).items():
                    (folder / name).write_bytes(save({k: t.contiguous().cpu() for k, t in tensors.items()}))
            config = _written_config(parts, cross, dict(dictionary.about))
            (folder / CONFIG).write_text(yaml.safe_dump(config), encoding="utf-8")


# --- reading ----------------------------------------------------------------------------------


def _config(path: Path) -> dict[str, Any]:
    file = path / CONFIG
    if not file.is_file():
        return {}
    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8")) if file.stat().st_size < MOST_JSON else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{file} is not YAML.", "Copy the folder again.") from error
    if not isinstance(value, dict):
        raise RecordError(f"{file} holds no settings.", "Copy the folder again.")
    return value


def _plt_part(path: Path, i: int, config: dict[str, Any]) -> Dictionary:
    file = path / f"layer_{i}.safetensors"
    t = read_safetensors(file)
    threshold, skip, k = t.get(_THRESHOLD), t.get("W_skip"), config.get("k")
    named = config.get("activation")
    if named == "topk" and not isinstance(k, int):
        raise RecordError(f"{path / CONFIG} says topk and no k.", "Add k to it.")
    plain = named == "relu" or threshold is None
    return Dictionary(
        kind="transcoder" if skip is None else "skip_transcoder",
        activation="topk" if named == "topk" else "relu" if plain else "jumprelu",
        W_enc=one_of(t, file, "W_enc").T.contiguous(),
        W_dec=one_of(t, file, "W_dec"),
        b_enc=one_of(t, file, "b_enc"),
        b_dec=one_of(t, file, "b_dec"),
        k=k if named == "topk" else None,
        threshold=None if named == "topk" or plain else _spread(threshold, t["b_enc"]),
        W_skip=None if skip is None else skip.T.contiguous(),
        reads=_hook(config, "feature_input_hook", i),
        writes=_hook(config, "feature_output_hook", i),
        about={"format": "circuit-tracer", "layer": i},
    )


def _clt_part(path: Path, i: int, n: int, config: dict[str, Any]) -> Dictionary:
    file = path / f"W_enc_{i}.safetensors"
    t = read_safetensors(file)
    decoder = one_of(read_safetensors(path / f"W_dec_{i}.safetensors"), file, f"W_dec_{i}")  # [F, n - i, d]
    encoder, b_dec = one_of(t, file, f"W_enc_{i}"), one_of(t, file, f"b_dec_{i}")
    if decoder.ndim != 3 or decoder.shape[1:] != (n - i, encoder.shape[1]):
        raise RecordError(f"The decoder of layer {i} in {path} has the wrong shape.", "Copy the folder again.")
    threshold, skip = t.get(f"threshold_{i}"), t.get(f"W_skip_{i}")
    width = (n - i) * encoder.shape[1]
    b_enc = one_of(t, file, f"b_enc_{i}")
    return Dictionary(
        kind="cross_layer_transcoder",
        activation="relu" if threshold is None else "jumprelu",
        W_enc=encoder.T.contiguous(),
        W_dec=decoder.reshape(decoder.shape[0], width),
        b_enc=b_enc,
        b_dec=_padded(b_dec[None], width)[0],
        threshold=None if threshold is None else _spread(threshold, b_enc),
        W_skip=None if skip is None else _padded(skip, width),
        reads=_hook(config, "feature_input_hook", i),
        writes=tuple(site for j in range(i, n) for site in _hook(config, "feature_output_hook", j)),
        about={"format": "circuit-tracer", "layer": i},
    )


def _hook(config: dict[str, Any], key: str, layer: int) -> tuple[str, ...]:
    default = {"feature_input_hook": "hook_resid_mid", "feature_output_hook": "hook_mlp_out"}
    return site_name(f"blocks.{layer}.{config.get(key, default[key])}")


def _spread(threshold: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    assert threshold is not None
    return threshold.reshape(-1).expand(like.shape[0]).contiguous()


def _padded(x: torch.Tensor, width: int) -> torch.Tensor:
    """[n, d] -> [n, width] with zeros behind: what belongs to the first layer written."""
    return torch.nn.functional.pad(x, (0, width - x.shape[1]))


# --- writing ----------------------------------------------------------------------------------


def _plain(part: Dictionary, cross: bool) -> Dictionary:
    """An equal dictionary without normalisation and without a shifted input, as circuit-tracer has them."""
    part = part.folded()
    if part.normalisation != "none" or part.activation == "gated" or (cross and part.activation == "topk"):
        raise UsageError(
            f"circuit-tracer cannot say {part.activation} with the normalisation {part.normalisation}"
            + (" across layers." if cross else "."),
            "Write it as brainscan.",
        )
    if part.apply_b_dec_to_input:
        part = replace(part, b_enc=part.b_enc - part.b_dec @ part.W_enc, apply_b_dec_to_input=False)
    return part


def _check_layers(parts: tuple[Dictionary, ...], cross: bool) -> None:
    layers = [Site.parse(part.reads[0]).layer if part.reads else None for part in parts]
    d = parts[0].d_in
    widths = [(len(parts) - i) * d if cross else d for i in range(len(parts))]
    if layers != list(range(len(parts))) or [part.d_out for part in parts] != widths:
        raise UsageError(
            "circuit-tracer wants one transcoder for every layer from 0 on, all of the model's width.",
            "Train one for each layer, or write it as brainscan.",
        )
    if len({(part.n_features, part.activation, part.k if part.activation == "topk" else None) for part in parts}) > 1:
        raise UsageError("circuit-tracer wants equal widths and activations at all layers.", "Train them alike.")
    if cross and any(bool(part.b_dec[d:].any()) for part in parts):
        raise UsageError("A CLT's bias belongs to its own layer alone.", "Move the other biases to their layers first.")


def _plt_files(part: Dictionary, i: int) -> dict[str, dict[str, torch.Tensor]]:
    tensors = {"W_enc": part.W_enc.T, "W_dec": part.W_dec, "b_enc": part.b_enc, "b_dec": part.b_dec}
    if part.activation == "jumprelu" and part.threshold is not None:
        tensors[_THRESHOLD] = part.threshold
    if part.W_skip is not None:
        tensors["W_skip"] = part.W_skip.T
    return {f"layer_{i}.safetensors": tensors}


def _clt_files(part: Dictionary, i: int) -> dict[str, dict[str, torch.Tensor]]:
    d = part.d_in
    encoder = {f"W_enc_{i}": part.W_enc.T, f"b_enc_{i}": part.b_enc, f"b_dec_{i}": part.b_dec[:d]}
    if part.activation == "jumprelu" and part.threshold is not None:
        encoder[f"threshold_{i}"] = part.threshold
    if part.W_skip is not None:
        encoder[f"W_skip_{i}"] = part.W_skip[:, :d]
    decoder = {f"W_dec_{i}": part.W_dec.reshape(part.n_features, -1, d)}
    return {f"W_enc_{i}.safetensors": encoder, f"W_dec_{i}.safetensors": decoder}


def _written_config(parts: tuple[Dictionary, ...], cross: bool, about: dict[str, Any]) -> dict[str, Any]:
    first = parts[0]
    config: dict[str, Any] = {
        "model_name": str(about.get("subject") or first.about.get("subject") or "unknown"),
        "model_kind": _CLT if cross else _PLT,
        "feature_input_hook": hook_name(first.reads[0]).removeprefix("blocks.0."),
        "feature_output_hook": hook_name(first.writes[0]).removeprefix("blocks.0."),
        "scan": str(about.get("scan", "brainscan")),
    }
    if not cross:  # no list of "transcoders": circuit-tracer would look for its entries in the working folder
        config |= {"activation": first.activation, "k": first.k} if first.activation == "topk" else {}
        config |= {"activation": "relu"} if first.activation == "relu" else {}
    return config


FORMAT = CircuitTracer()
