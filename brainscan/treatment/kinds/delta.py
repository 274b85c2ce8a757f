"""A low-rank change of weights: what removal, unlearning and benign fine-tuning have in common.

W' = W + dose * left @ right        left [out, rank], right [rank, in], in the shape of the parameter
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from brainscan.core.errors import BrokenSubject, UsageError
from brainscan.subject.adapter import CONFIG, WEIGHTS
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Changes, Kind, Tensors

LEFT, RIGHT = ":left", ":right"


@dataclass(frozen=True, eq=False)
class Delta(Kind):
    """Adds ``dose`` times a low-rank matrix to parameters; arrays are ``<parameter>:left`` and ``<parameter>:right``."""

    def changes(self, subject: LanguageSubject) -> Changes:
        """The changed parameters.

        Raises:
            UsageError: a parameter is missing or of another shape.
        """
        if not self.dose:
            return Changes()
        held = dict(subject.model.named_parameters())
        changed = {}
        for name in self.parameters():
            left, right = self.vectors[name + LEFT], self.vectors[name + RIGHT]
            if name not in held or held[name].shape != (left.shape[0], right.shape[1]):
                raise UsageError(
                    f"The treatment changes {name}, which {subject.card.name} does not have in that shape.",
                    "Use it on the model that it was made for.",
                )
            weight = held[name].detach()
            changed[name] = weight + self.dose * (left.float() @ right.float()).to(weight)
        return Changes(weights=changed)

    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that it changes."""
        return tuple(name.removesuffix(LEFT) for name in self.vectors if name.endswith(LEFT))

    def rank(self) -> int:
        """Largest rank of a change."""
        return max((self.vectors[name + LEFT].shape[1] for name in self.parameters()), default=0)


def factors_of_adapter(subject: LanguageSubject, folder: Path) -> Tensors:
    """The factors of a PEFT LoRA folder, in the names and shapes of the subject's parameters.

    Raises:
        BrokenSubject: the adapter does not fit the subject.
    """
    config = json.loads((folder / CONFIG).read_text())
    scale = config["lora_alpha"] / config["r"]
    state = load_file(folder / WEIGHTS)
    held = dict(subject.model.named_parameters())
    found: dict[str, torch.Tensor] = {}
    for key, right in state.items():
        if not key.endswith("lora_A.weight"):
            continue
        name = key.removeprefix("base_model.model.").replace("lora_A.weight", "weight")
        left = scale * state[key.replace("lora_A", "lora_B")].float()
        right = right.float()
        if name not in held:
            raise BrokenSubject(f"The adapter in {folder} changes {name}, which is not there.", "Name its own base.")
        if held[name].shape != (left.shape[0], right.shape[1]):  # GPT-2 keeps its maps [in, out]
            left, right = right.T.contiguous(), left.T.contiguous()
        found[name + LEFT], found[name + RIGHT] = left, right
    return found
