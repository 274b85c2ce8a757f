"""dictionary_learning (saprmarks) folders: ``ae.pt`` (tensors only) + ``config.json``.

Its arithmetic (dictionary_learning/dictionary.py, trainers/*): the classes differ in where ``b_dec`` is
subtracted, and Gated and JumpReLU report codes times the norms of the decoder's columns. BatchTopK and
Matryoshka encode with their threshold; top-k selects.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from brainscan.core.errors import RecordError, UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.formats.format import AnyDictionary
from brainscan.dictionary.formats.safe import Tensors, one_of, read_json_file, read_torch
from brainscan.dictionary.formats.sites import site_name

CONFIG, WEIGHTS = "config.json", "ae.pt"


class DictionaryLearning:
    """One trainer's folder."""

    name = "dictionary-learning"
    title = "dictionary_learning folder"
    writes = False

    def recognises(self, path: Path) -> bool:
        """A folder with ``ae.pt``."""
        return (path / WEIGHTS).is_file()

    def read(self, path: Path) -> AnyDictionary:
        """Read it; see ``Format.read``. Without a config the class is known by its tensors."""
        tensors = read_torch(path / WEIGHTS)
        config = read_json_file(path / CONFIG) if (path / CONFIG).is_file() else {}
        trainer = config.get("trainer") if isinstance(config.get("trainer"), dict) else {}
        named = str(trainer.get("dict_class", "")) if trainer else ""
        parts = _parts(named or _class_of(tensors, path), tensors, path)
        layer, module = (trainer or {}).get("layer"), (trainer or {}).get("submodule_name") or "resid_post"
        where = site_name(f"{module}.{layer}") or site_name(f"resid_post.{layer}") if layer is not None else ()
        rescaled = parts.pop("rescaled", False)
        found = Dictionary(**parts, reads=where, writes=where, about={"format": self.name, "config": config})
        return found.unit_decoder() if rescaled else found

    def write(self, dictionary: AnyDictionary, path: Path) -> None:
        """Not offered: its layout is a pickle."""
        raise UsageError("dictionary_learning's layout is a pickle, which is never written here.", "Write saelens.")


def _class_of(tensors: Tensors, path: Path) -> str:
    if "gate_bias" in tensors:
        return "GatedAutoEncoder"
    if "W_enc" in tensors:
        return "MatryoshkaBatchTopKSAE" if "k" in tensors else "JumpReluAutoEncoder"
    if "bias" in tensors:
        return "AutoEncoder"
    if "decoder.bias" in tensors:
        return "AutoEncoderNew"
    raise RecordError(
        f"{path} has no config.json, and its tensors fit several classes.", "Put its config.json beside ae.pt."
    )


def _parts(named: str, t: Tensors, path: Path) -> dict[str, Any]:
    if named == "GatedAutoEncoder":
        gate = {"r_mag": one_of(t, path, "r_mag"), "b_gate": one_of(t, path, "gate_bias")}
        return _linear("gated", "gated", t, path, "mag_bias", "decoder_bias") | gate | {"rescaled": True}
    if named == "JumpReluAutoEncoder":
        own = {"apply_b_dec_to_input": False, "threshold": one_of(t, path, "threshold"), "rescaled": True}
        return _matrices("jumprelu", t, path) | own
    if named == "MatryoshkaBatchTopKSAE":
        sizes = torch.cumsum(one_of(t, path, "group_sizes"), 0).tolist() if "group_sizes" in t else []
        return _matrices("matryoshka", t, path) | _selection(t, path) | {"widths": tuple(int(n) for n in sizes)}
    if named == "BatchTopKSAE":
        return _linear("batchtopk", "relu", t, path, "encoder.bias", "b_dec") | _selection(t, path)
    if named == "AutoEncoderTopK":
        k = int(one_of(t, path, "k"))
        return _linear("topk", "topk", t, path, "encoder.bias", "b_dec") | {"k": k}
    if named == "AutoEncoder":
        return _linear("relu", "relu", t, path, "encoder.bias", "bias")
    if named == "AutoEncoderNew":
        return _linear("relu", "relu", t, path, "encoder.bias", "decoder.bias") | {"apply_b_dec_to_input": False}
    raise RecordError(f"{path} is of the class {named!r}, which is not read here.", "Convert it with its own library.")


def _selection(t: Tensors, path: Path) -> dict[str, Any]:
    """Its threshold, one number for all features; below 0 means that training never set it: then top-k."""
    threshold, k = float(one_of(t, path, "threshold")), int(one_of(t, path, "k"))
    features = (t["b_enc"] if "b_enc" in t else one_of(t, path, "encoder.bias")).shape[0]
    if threshold < 0:
        return {"activation": "topk", "k": k}
    return {"activation": "jumprelu", "threshold": torch.full((features,), threshold), "k": k}


def _linear(kind: str, activation: str, t: Tensors, path: Path, b_enc: str, b_dec: str) -> dict[str, Any]:
    """torch.nn.Linear holds [out, in]: both matrices are turned."""
    return {
        "kind": kind,
        "activation": activation,
        "W_enc": one_of(t, path, "encoder.weight").T.contiguous(),
        "W_dec": one_of(t, path, "decoder.weight").T.contiguous(),
        "b_enc": one_of(t, path, b_enc),
        "b_dec": one_of(t, path, b_dec),
        "apply_b_dec_to_input": True,
    }


def _matrices(kind: str, t: Tensors, path: Path) -> dict[str, Any]:
    names = {name: one_of(t, path, name) for name in ("W_enc", "W_dec", "b_enc", "b_dec")}
    return {"kind": kind, "activation": "jumprelu", "apply_b_dec_to_input": True, **names}


FORMAT = DictionaryLearning()
