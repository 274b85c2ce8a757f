"""Write a treatment for use elsewhere: a PEFT LoRA folder, a folder of edited weights, or a llama.cpp control vector.

A control vector is a GGUF file of architecture ``controlvector`` with one float32 tensor ``direction.N`` a layer, as
repeng writes and llama.cpp (``--control-vector``) reads them: ``direction.N`` is added to the stream that leaves block
N, counted from 0; llama.cpp starts at block 1, so that there is no ``direction.0``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.core.files import folder_atomic, refusals
from brainscan.subject.adapter import CONFIG, WEIGHTS
from brainscan.subject.language import LanguageSubject
from brainscan.subject.lora import is_linear
from brainscan.treatment.kinds.delta import LEFT, RIGHT, Delta
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.protocol import KINDS, Treatment
from brainscan.treatment.treated import treated, treatment_hash

ARCHITECTURE = "controlvector"

MADE_FILE = "brainscan-treatment.json"
"""Lies in every exported folder; a folder without it, such as the model itself, is not replaced."""


def export_lora(treatment: Treatment, subject: LanguageSubject, folder: Path) -> Path:
    """Write a low-rank change of weights as a PEFT folder, dose included.

    Raises:
        UsageError: the treatment is no low-rank change, of another subject, or changes what is no linear map.
        StorageError: the disk refused; nothing was left half-written.
    """
    _check_lora(type(treatment))
    assert isinstance(treatment, Delta)
    treatment.changes(subject)  # refuses what does not fit
    modules = dict(subject.model.named_modules())
    state: dict[str, torch.Tensor] = {}
    ranks: dict[str, int] = {}
    for name in treatment.parameters():
        left, right = treatment.dose * treatment.vectors[name + LEFT].float(), treatment.vectors[name + RIGHT].float()
        module = name.removesuffix(".weight")
        if module not in modules or not is_linear(modules[module]):
            raise UsageError(
                f"The treatment changes {name}, which is no linear map, and an adapter has no place for it.",
                "Export it as weights.",
            )
        if not isinstance(modules[module], torch.nn.Linear):  # GPT-2 keeps its maps [in, out]
            left, right = right.T, left.T
        ranks[module] = left.shape[1]
        state[f"base_model.model.{module}.lora_A.weight"] = right.contiguous()
        state[f"base_model.model.{module}.lora_B.weight"] = left.contiguous()
    rank = max(ranks.values())
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": subject.card.id,
        "r": rank,
        "lora_alpha": rank,
        "rank_pattern": {module: r for module, r in ranks.items() if r != rank},
        "alpha_pattern": {module: r for module, r in ranks.items() if r != rank},
        "target_modules": sorted(ranks),
        "bias": "none",
        "inference_mode": True,
    }
    with folder_atomic(folder, MADE_FILE) as part:
        _sign(part, treatment, subject)
        (part / CONFIG).write_text(json.dumps(config, indent=1))
        save_file(state, part / WEIGHTS, metadata={"format": "pt"})
    return folder


def export_weights(treatment: Treatment, subject: LanguageSubject, folder: Path) -> Path:
    """Write the subject's model folder with the treatment in its weights.

    Raises:
        UsageError: the treatment acts at run time and cannot be written into weights.
        StorageError: the disk refused; nothing was left half-written.
    """
    _check_weights(type(treatment))
    with folder_atomic(folder, MADE_FILE) as part, treated(subject, treatment):
        _sign(part, treatment, subject)
        subject.model.save_pretrained(part, safe_serialization=True)
        subject.tokenizer.save_pretrained(part)
    return folder


def _sign(folder: Path, treatment: Treatment, subject: LanguageSubject) -> None:
    """Say of which model and treatment it is made, and by that that it may be made again in the same place."""
    made = {"treatment": treatment_hash(treatment), "words": treatment.words(), "base": subject.card.id}
    (folder / MADE_FILE).write_text(json.dumps(made, indent=1))


def export_control_vector(treatment: Treatment, subject: LanguageSubject, file: Path) -> Path:
    """Write a steering treatment as a control vector, dose included.

    Raises:
        UsageError: the treatment does not add one vector a block to what leaves it, at every token.
        StorageError: the disk refused; nothing was left half-written.
    """
    directions = _directions(treatment, subject)
    from gguf import GGUFWriter

    part = file.with_name(f".{file.name}.part")
    with refusals(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        writer = GGUFWriter(part, ARCHITECTURE)
        writer.add_string(f"{ARCHITECTURE}.model_hint", str(getattr(subject.config, "model_type", "")))
        writer.add_uint32(f"{ARCHITECTURE}.layer_count", len(directions))
        for layer, vector in sorted(directions.items()):
            writer.add_tensor(f"direction.{layer}", vector)
        try:
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            part.replace(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    return file


def check_forms(kind: str, *, lora: bool, weights: bool, gguf: bool) -> None:
    """A kind of treatment can take the forms that are wanted. It is asked before one is made, which takes long.

    Raises:
        UsageError: it never can. PlanError: there is no such kind.
    """
    made = KINDS.get(kind)
    for wanted, check in ((lora, _check_lora), (weights, _check_weights), (gguf, _check_vector)):
        if wanted:
            check(made)


def _check_lora(kind: type[Treatment]) -> None:
    if not issubclass(kind, Delta):
        raise UsageError(
            f"A treatment of the kind {kind.kind} is no low-rank change of weights, so it is no LoRA adapter.",
            "Export it as weights or as a control vector.",
        )


def _check_weights(kind: type[Treatment]) -> None:
    if not kind.permanent:
        raise UsageError(
            f"A treatment of the kind {kind.kind} acts while the model runs and has no place in its weights.",
            "Orthogonalise the direction, or export it as a control vector.",
        )


def _check_vector(kind: type[Treatment]) -> None:
    if not issubclass(kind, Steer):
        raise _no_vector()


def _no_vector() -> UsageError:
    return UsageError(
        "A control vector adds one direction to the stream that leaves a block from 1 on, at every token, and this "
        "treatment does something else.",
        "Steer at resid_post of one or more blocks from 1 on, in no single phase.",
    )


def _directions(treatment: Treatment, subject: LanguageSubject) -> dict[int, Any]:
    """Layer -> float32 array [d_model]."""
    _check_vector(type(treatment))
    sites = {Site.parse(name): vector for name, vector in treatment.tensors().items()}
    elsewhere = any(site.point != "resid_post" or not site.layer for site in sites)
    if not sites or elsewhere or getattr(treatment, "phase", None):
        raise _no_vector()
    for site in sites:
        subject.check(site)
    return {
        site.layer: (treatment.dose * vector).float().cpu().contiguous().numpy()
        for site, vector in sites.items()
        if site.layer is not None
    }
