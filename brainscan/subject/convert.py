"""Turn one GGUF file into a safetensors folder: ``python -P convert.py FILE.gguf FOLDER PRE_TOKENIZER``.

``brainscan.subject.gguf`` runs this file as a program of its own, for three reasons: the two copies
of the weights that a conversion needs are given back to the system at once, a broken file can take
down nothing but this process, and transformers' progress bars stay out of the user's terminal.
It refuses to know brainscan, caches and hashes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

GENERIC = ("default", "gpt-2")
"""Names of pre-tokenizers that are plain byte-level GPT-2."""

SPLITS: dict[str, str] = {
    "smollm": r"\p{N}",
    "llama-bpe": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "qwen2": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
"""``tokenizer.ggml.pre`` -> where words are cut before byte-level BPE.

transformers' GGUF loader does not read that field and cuts every byte-level vocabulary as GPT-2 does,
so that SmolLM2 would see 123 as one token where it was trained on three.
"""


def convert(gguf: Path, folder: Path, pre_tokenizer: str) -> None:
    """Write config, float32 weights, tokenizer, chat template and ``notes.json`` into an existing folder.

    Lines on the standard output that begin with ``@`` give the fraction done and a few words.
    """
    _tell(0.05, "importing transformers")
    import torch
    import transformers

    _tell(0.25, "reading the header")
    place = {"gguf_file": gguf.name, "local_files_only": True}
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(
        gguf.parent, dtype=torch.float32, **place, **_dense()
    )
    _tell(0.7, "writing float32 weights")
    _forget_quantisation(model)
    model.save_pretrained(folder)
    _tell(0.8, "building the tokenizer")
    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, **place)
    notes = _restore_splits(tokenizer, pre_tokenizer)
    tokenizer.save_pretrained(folder)
    _only_tokenizer_json(folder, model.get_input_embeddings().weight.shape[0])
    (folder / "notes.json").write_text(json.dumps(notes))


def _tell(fraction: float, words: str) -> None:
    sys.stdout.write(f"@{fraction} {words}\n")
    sys.stdout.flush()


def _dense() -> dict[str, Any]:
    """transformers 5 may keep the weights packed, with kernels from the hub, unless told not to."""
    import transformers

    config = getattr(transformers, "GgufConfig", None)
    return {} if config is None else {"quantization_config": config(dequantize=True)}


def _forget_quantisation(model: Any) -> None:
    """The weights are plain by now; what still calls them quantised would make saving refuse."""
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    for flag in ("hf_quantizer", "quantization_method", "is_quantized"):
        if flag in vars(model):
            delattr(model, flag)


def _restore_splits(tokenizer: Any, pre: str) -> list[str]:
    """Cut words as the file says; returns a note when that is not possible."""
    from tokenizers import Regex, pre_tokenizers

    backend = tokenizer.backend_tokenizer
    if not isinstance(backend.pre_tokenizer, pre_tokenizers.ByteLevel) or pre in GENERIC:
        return []
    if pre not in SPLITS:
        return [f"The file's pre-tokenizer {pre!r} is not known here; words are cut as GPT-2 cuts them."]
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLITS[pre]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pre == "smollm"),
        ]
    )
    return []


def _only_tokenizer_json(folder: Path, embeddings: int) -> None:
    """Let any transformers read ``tokenizer.json`` as it stands, instead of building a class's own variant.

    transformers also adds <|endoftext|> to byte-level vocabularies that have no such token; what the
    model has no embedding for is taken out again.
    """
    words = folder / "tokenizer.json"
    content = json.loads(words.read_text(encoding="utf-8"))
    kept = [token for token in content["added_tokens"] if token["id"] < embeddings]
    if len(kept) < len(content["added_tokens"]):
        words.write_text(json.dumps({**content, "added_tokens": kept}, ensure_ascii=False), encoding="utf-8")
    config = folder / "tokenizer_config.json"
    settings = {**json.loads(config.read_text(encoding="utf-8")), "tokenizer_class": "PreTrainedTokenizerFast"}
    settings.pop("added_tokens_decoder", None)  # transformers 4 repeats them here
    config.write_text(json.dumps(settings), encoding="utf-8")
    (folder / "tokenizer.model").unlink(missing_ok=True)  # transformers 4 puts a copy of the whole GGUF there


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
