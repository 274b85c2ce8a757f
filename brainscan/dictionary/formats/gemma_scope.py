"""Gemma Scope files: ``params.npz`` (1) and ``params.safetensors`` (2). JumpReLU, weights as brainscan has them.

Names are upper or lower case. Arithmetic of both: pre = x @ W_enc + b_enc, relu where pre > threshold,
@ W_dec + b_dec, and for (2) x @ affine_skip_connection.T. Cross-layer transcoders of (2) hold one leading
layer axis and write to all layers; only layers from their own on count.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch

from brainscan.core.errors import RecordError, UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.formats.format import AnyDictionary
from brainscan.dictionary.formats.safe import Tensors, one_of, read_npz, read_safetensors
from brainscan.dictionary.formats.sites import site_name

_PARAMS = re.compile(r"params(_.*)?\.(npz|safetensors)")
_POINTS = {"res": "resid_post", "resid": "resid_post", "mlp": "mlp_out", "att": "head_out", "attn": "head_out"}


class GemmaScope:
    """One parameter file, or the folder that holds one."""

    name = "gemma-scope"
    title = "Gemma Scope file"
    writes = False

    def recognises(self, path: Path) -> bool:
        """``params.npz`` or ``params.safetensors``, or a folder with one of them."""
        return _file(path) is not None

    def read(self, path: Path) -> AnyDictionary:
        """Read it; see ``Format.read``. The site is read off the names of the folders around it."""
        file = _file(path)
        if file is None:
            raise RecordError(f"{path} holds no params.npz and no params.safetensors.", "Name the right folder.")
        raw = read_npz(file) if file.suffix == ".npz" else read_safetensors(file)
        tensors = {name.lower(): tensor for name, tensor in raw.items()}
        if one_of(tensors, file, "w_enc").ndim != 2:
            raise RecordError(
                f"{file} holds several layers in one file.", "Convert it to a circuit-tracer folder first."
            )
        skip = tensors.get("affine_skip_connection")
        reads, writes = _sites(file)
        transcoder = reads != writes or skip is not None
        return Dictionary(
            kind="skip_transcoder" if skip is not None else "transcoder" if transcoder else "jumprelu",
            activation="jumprelu",
            W_enc=tensors["w_enc"],
            W_dec=_decoder(tensors, file),
            b_enc=one_of(tensors, file, "b_enc"),
            b_dec=one_of(tensors, file, "b_dec"),
            threshold=one_of(tensors, file, "threshold"),
            W_skip=None if skip is None else skip.T.contiguous(),
            reads=reads,
            writes=writes,
            about={"format": self.name, "file": "/".join(file.parts[-4:])},
        )

    def write(self, dictionary: AnyDictionary, path: Path) -> None:
        """Not offered."""
        raise UsageError("Gemma Scope's layout is read here and not written.", "Write it as saelens.")


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if _PARAMS.fullmatch(path.name) else None
    found = sorted(p for p in path.iterdir() if _PARAMS.fullmatch(p.name)) if path.is_dir() else []
    return found[0] if found else None


def _decoder(tensors: Tensors, file: Path) -> torch.Tensor:
    """``scaling_factor``, where there is one, multiplies what is decoded from each code."""
    decoder = one_of(tensors, file, "w_dec")
    factor = tensors.get("scaling_factor")
    return decoder if factor is None or factor.shape != decoder.shape[:1] else decoder * factor[:, None]


def _sites(file: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """From names such as gemma-scope-2b-pt-res/layer_12/width_16k/average_l0_82/params.npz."""
    words = "/".join(file.parts[:-1]).lower()
    layer = re.search(r"layer_(\d+)", words)
    if not layer:
        return (), ()
    if "transcoder" in words:
        return site_name(f"mlp_in.{layer[1]}"), site_name(f"mlp_out.{layer[1]}")
    kinds = re.findall(r"(?:^|[-_/])(resid|res|mlp|attn|att)(?=$|[-_/])", words)
    where = site_name(f"{_POINTS[kinds[-1]]}.{layer[1]}") if kinds else ()
    return where, where


FORMAT = GemmaScope()
