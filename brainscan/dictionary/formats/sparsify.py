"""EleutherAI sparsify folders: ``cfg.json`` + ``sae.safetensors``, top-k SAEs and (skip) transcoders.

Its arithmetic (sparsify/sparse_coder.py): ``b_dec`` is subtracted from the input unless ``transcode``,
relu, the k largest, decoded, ``b_dec`` added, and ``x @ W_skip.mT`` where there is a skip.
"""

from __future__ import annotations

from pathlib import Path

from brainscan.core.errors import RecordError, UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.formats.format import AnyDictionary
from brainscan.dictionary.formats.safe import one_of, read_json_file, read_safetensors, whole
from brainscan.dictionary.formats.sites import site_name

CONFIG, WEIGHTS = "cfg.json", "sae.safetensors"


class Sparsify:
    """One hook point's folder of a sparsify run."""

    name = "sparsify"
    title = "sparsify folder"
    writes = False

    def recognises(self, path: Path) -> bool:
        """A folder with both files."""
        return (path / CONFIG).is_file() and (path / WEIGHTS).is_file()

    def read(self, path: Path) -> AnyDictionary:
        """Read it; see ``Format.read``. The folder's name is the module whose output it reads."""
        config = read_json_file(path / CONFIG)
        tensors = read_safetensors(path / WEIGHTS)
        if config.get("activation", "topk") != "topk":
            raise RecordError(f"{path} has the activation {config['activation']!r}.", "Only topk is read here.")
        transcode = bool(config.get("transcode", False))
        skip = tensors.get("W_skip") if config.get("skip_connection") else None
        weight = one_of(tensors, path, "encoder.weight")
        where = site_name(path.name)
        return Dictionary(
            kind="skip_transcoder" if skip is not None else "transcoder" if transcode else "topk",
            activation="topk",
            W_enc=weight.T.contiguous(),
            W_dec=one_of(tensors, path, "W_dec"),
            b_enc=one_of(tensors, path, "encoder.bias"),
            b_dec=one_of(tensors, path, "b_dec"),
            k=whole(config, "k", path),
            apply_b_dec_to_input=not transcode,
            W_skip=None if skip is None else skip.T.contiguous(),
            reads=_reads(path.name) if transcode else where,
            writes=_writes(path.name) if transcode else where,
            about={"format": self.name, "config": config, "module": path.name},
        )

    def write(self, dictionary: AnyDictionary, path: Path) -> None:
        """Not offered: sparsify reads SAEs of its own run folders alone."""
        raise UsageError("sparsify's layout is read here and not written.", "Write it as saelens.")


def _reads(module: str) -> tuple[str, ...]:
    """A transcoder sits on a module and reads its input."""
    layer = module.removesuffix(".mlp").rpartition(".")[2]
    return (f"mlp_in.{layer}",) if module.endswith(".mlp") and layer.isdecimal() else ()


def _writes(module: str) -> tuple[str, ...]:
    return tuple(site.replace("mlp_in", "mlp_out") for site in _reads(module))


FORMAT = Sparsify()
