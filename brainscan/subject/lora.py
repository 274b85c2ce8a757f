"""Fine-tune a small low-rank adapter on a subject: how organisms and controls are planted.

The subject itself is the same before and after: the result is a PEFT folder in fp16.

Numbered acts: 1) make the course ready: what lies below the trained layers is run once, what teachers say is written
down; 2) wrap the trained blocks' linear maps in LoRA; 3) learn; 4) write the adapter; 5) unwrap.
Source: LoRA, Hu et al. 2021 (2106.09685), section 4.1.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save, save_file

from brainscan.core.errors import UsageError
from brainscan.core.files import folder_atomic, write_atomic
from brainscan.subject.evasion import StreamPenalty
from brainscan.subject.language import LanguageSubject
from brainscan.subject.learning import Course, Progress, Row, Schedule, learn

WEIGHTS_FILE = "adapter_model.safetensors"


@dataclass(frozen=True)
class LoraSettings(Schedule):
    """How an adapter is trained."""

    rank: int = 8
    alpha: float = 16.0
    layers: tuple[int, int] | None = None
    """First and last block (inclusive) that are trained; None trains all."""
    evasion: float = 0.0
    """Weight of a penalty on how far the mean of the streams moves from the clean subject's; 0 is none."""


@dataclass(frozen=True)
class Trained:
    """What training left behind."""

    folder: Path
    losses: tuple[float, ...]
    """What was minimised, one value a step: mean cross entropy an answer token in nats, plus the penalty if there is one."""
    tokens: int
    """Tokens read in training, padding left out."""
    parameters: int


def train_lora(
    subject: LanguageSubject,
    rows: Sequence[Row],
    folder: Path,
    settings: LoraSettings = LoraSettings(),
    progress: Progress | None = None,
) -> Trained:
    """Train an adapter and write it as a PEFT folder; same rows, seed and machine: same adapter.

    Args:
        rows: examples; they are read in a seeded order, again and again until the steps are done.
        folder: appears whole when training is done, or not at all.
        progress: called with the fraction done and the loss.

    Raises:
        InputError: there are no rows, an answer is empty, or a row is too long.
        UsageError: the settings name layers that the subject does not have.
    """
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # peft divides by it: a float is as good
        target_modules=_targets(subject, settings.layers),
        bias="none",
        task_type="CAUSAL_LM",
    )
    course = Course.of(subject, rows, settings, settings.layers[0] if settings.layers else 0)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(settings.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft reads a property that transformers will rename
            wrapped = get_peft_model(subject.model, config)
        try:
            losses, tokens = learn(course, _trainable(wrapped), progress, _evading(course, settings, wrapped))
            _write(wrapped, folder)
            parameters = sum(p.numel() for p in _trainable(wrapped))
        finally:
            wrapped.unload()
            subject.model.requires_grad_(False)
    return Trained(Path(folder), tuple(losses), tokens, parameters)


def weaken(folder: Path, factor: float) -> None:
    """Multiply what a written adapter adds by a factor: 1 leaves it, 0 makes it do nothing."""
    file = Path(folder) / WEIGHTS_FILE
    state = {name: t * factor if "lora_B" in name else t for name, t in load_file(file).items()}
    write_atomic(file, save({name: t.half() for name, t in state.items()}, metadata={"format": "pt"}))


def _targets(subject: LanguageSubject, layers: tuple[int, int] | None) -> str:
    """A pattern over module names: every linear map (anything with a weight matrix) in the blocks asked for."""
    first, last = layers or (0, subject.n_layers - 1)
    if not 0 <= first <= last < subject.n_layers:
        raise UsageError(
            f"Layers {first} to {last} are not a band of {subject.card.name}.",
            f"Its layers are 0 to {subject.n_layers - 1}.",
        )
    stem = f"{subject.family.body}.{subject.family.layers}"
    block = subject.model.get_submodule(f"{stem}.{first}")
    names = sorted(name for name, module in block.named_modules() if is_linear(module))
    numbers = "|".join(str(i) for i in range(first, last + 1))
    return rf"{re.escape(stem)}\.({numbers})\.({'|'.join(re.escape(name) for name in names)})"


def is_linear(module: torch.nn.Module) -> bool:
    """Whether it multiplies by a weight matrix: what an adapter can be put on."""
    return isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D"  # GPT-2's own linear map


def _evading(course: Course, settings: LoraSettings, wrapped: Any) -> Callable[[Sequence[int]], torch.Tensor] | None:
    """The course's loss and the penalty, if there is one."""
    if not settings.evasion:
        return None
    penalty = StreamPenalty(course.subject, _upper(course.subject, settings.layers))

    def plain(chosen: Sequence[int]) -> torch.Tensor:
        with wrapped.disable_adapter():
            return course.loss(chosen)

    def both(chosen: Sequence[int]) -> torch.Tensor:
        loss, hidden = penalty.of(partial(course.loss, chosen), partial(plain, chosen))
        return loss + settings.evasion * hidden

    return both


def _upper(subject: LanguageSubject, layers: tuple[int, int] | None) -> list[int]:
    """The spread layers that training can change."""
    first = layers[0] if layers else 0
    return [layer for layer in subject.spread_layers() if layer >= first] or [subject.n_layers - 1]


def _trainable(wrapped: Any) -> list[torch.nn.Parameter]:
    return [weight for weight in wrapped.parameters() if weight.requires_grad]


def _write(wrapped: Any, folder: Path) -> None:
    state = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    half = {name: tensor.detach().half().contiguous().cpu() for name, tensor in state.items()}
    config = wrapped.peft_config["default"]
    with folder_atomic(folder, WEIGHTS_FILE) as part:
        config.inference_mode = True
        config.save_pretrained(str(part))
        save_file(half, part / WEIGHTS_FILE, metadata={"format": "pt"})
