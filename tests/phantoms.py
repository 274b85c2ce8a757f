"""Phantoms on disk: the tiny models of ``brainscan.subject.phantom`` as folders, with adapters and faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from brainscan.subject.phantom import tiny_model


def tiny_folder(folder: Path, model_type: str = "llama", **options: Any) -> Path:
    """Save ``tiny_model(model_type, **options)`` with its tokenizer as a safetensors folder."""
    model, tokenizer = tiny_model(model_type, **options)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def tiny_llama(folder: Path, **options: Any) -> Path:
    """Save a tiny Llama with its tokenizer as a safetensors folder."""
    return tiny_folder(folder, "llama", **options)


def tiny_lora(base: Path, folder: Path, *, seed: int = 1, rank: int = 2) -> Path:
    """Save a random PEFT LoRA adapter over the query, value and down projections of a tiny Llama."""
    from peft import LoraConfig, get_peft_model

    model = AutoModelForCausalLM.from_pretrained(base)
    lora = LoraConfig(
        r=rank, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM", bias="none"
    )
    wrapped = get_peft_model(model, lora)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in wrapped.named_parameters():
            if "lora_" in name:
                weight.copy_(0.2 * torch.randn(weight.shape, generator=generator))
    wrapped.save_pretrained(str(folder))
    return Path(folder)


def edit_json(path: Path, **fields: Any) -> None:
    """Change top-level fields of a JSON file; a value of None removes the field."""
    content = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
