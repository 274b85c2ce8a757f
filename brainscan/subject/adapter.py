"""A PEFT LoRA adapter over a subject: checked, then added into the weights or kept live beside them.

Source of the method: Hu et al. 2021 (arXiv 2106.09685), section 4.1: W + (alpha / r) B A.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainscan.core.errors import BrokenSubject, SubjectNotFound, UnsafeSubject
from brainscan.core.visible import visible
from brainscan.subject.weights import PICKLES, read_header, read_json

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def check_adapter(folder: Path) -> tuple[Path, ...]:
    """Check an adapter's folder before peft sees it; returns the files that define the adapter.

    Raises:
        SubjectNotFound: no adapter there.
        BrokenSubject: truncated, or of a kind other than LoRA.
        UnsafeSubject: pickled weights, or a config that imports modules.
    """
    if not (folder / CONFIG).is_file():
        raise SubjectNotFound(f"{folder} holds no {CONFIG}.", "Name a folder that PEFT's save_pretrained wrote.")
    config = read_json(folder / CONFIG)
    if config.get("peft_type") != "LORA":
        kind = visible(str(config.get("peft_type")), keep="", limit=40)
        raise BrokenSubject(f"{folder} holds a {kind} adapter; only LORA can be read.", "Merge it with peft first.")
    if config.get("megatron_config"):
        raise UnsafeSubject(
            f"{folder / CONFIG} names a Python module to import.", "Remove megatron_config and megatron_core from it."
        )
    if not (folder / WEIGHTS).is_file():
        _refuse_pickles(folder)
    read_header(folder / WEIGHTS)
    return folder / CONFIG, folder / WEIGHTS


def apply_adapter(model: Any, folder: Path, *, live: bool) -> Any:
    """The model with a checked adapter.

    Args:
        model: the transformers model that it was trained on; changed in place.
        folder: passed ``check_adapter``.
        live: True keeps the LoRA layers as modules; False adds them into the weights.

    Raises:
        BrokenSubject: it was made for a model of another shape.
    """
    from peft import PeftModel

    from brainscan.subject.opening import quiet

    try:
        with quiet():
            wrapped = PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except Exception as error:  # peft and torch raise many kinds when shapes or names do not fit
        raise _misfit(folder, f"{type(error).__name__}: {str(error).strip().splitlines()[-1:]}") from error
    _check_all_used(wrapped, folder)
    base: Any = wrapped.base_model
    inner = base.model if live else base.merge_and_unload()
    return inner.eval().requires_grad_(False)


def _check_all_used(wrapped: Any, folder: Path) -> None:
    """peft leaves out tensors without a place in the model, and keeps places without a tensor, silently."""
    from peft import get_peft_model_state_dict

    placed = {name for name in get_peft_model_state_dict(wrapped, save_embedding_layers=False) if "lora_" in name}
    given = {name for name in read_header(folder / WEIGHTS) if "lora_" in name}
    if placed != given:
        odd = sorted(placed ^ given)
        raise _misfit(folder, f"{len(odd)} tensors do not match, first {odd[0]}")


def _refuse_pickles(folder: Path) -> None:
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise UnsafeSubject(
            f"{folder} has its weights only in {visible(pickles[0], keep='')}, a pickle: opening it could run any code, "
            "so it was not opened.",
            "Load it with peft inside a container that may be lost and save it again with safe_serialization=True.",
        )
    raise BrokenSubject(f"{folder} has no {WEIGHTS}.", "Save the adapter again with PEFT's save_pretrained.")


def _misfit(folder: Path, words: str) -> BrokenSubject:
    return BrokenSubject(
        f"The adapter in {folder} does not fit this base model: {visible(words, keep='', limit=300)}.",
        "Name the base model that it was trained on.",
    )
