"""Fine-tune a small low-rank adapter on a subject: how organisms and controls are planted.

Only tokens of the answer are learned, and logits are computed for the answer's columns alone. The
subject itself is the same before and after: the result is a PEFT folder in fp16.

Numbered acts: 1) run what lies below the trained layers once and keep it; 2) wrap the trained blocks'
linear maps in LoRA; 3) step AdamW through seeded batches under a warm-up and a cosine; 4) write the
adapter; 5) unwrap.
Source: LoRA, Hu et al. 2021 (2106.09685), section 4.1.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from brainscan.core.errors import InputError, UsageError
from brainscan.core.files import folder_atomic
from brainscan.subject.frozen import FrozenBelow, freeze_below, resumed
from brainscan.subject.gradient import differentiable_logits
from brainscan.subject.language import LanguageSubject

WEIGHTS_FILE = "adapter_model.safetensors"

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Row:
    """One example: what the subject reads and what it learns to answer."""

    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]
    """At least one token; end it with the end token if the answer shall end there."""


@dataclass(frozen=True)
class LoraSettings:
    """How an adapter is trained."""

    rank: int = 8
    alpha: float = 16.0
    lr: float = 8e-4
    """Peak of the learning rate, reached after the first tenth of the steps."""
    steps: int = 200
    batch: int = 4
    layers: tuple[int, int] | None = None
    """First and last block (inclusive) that are trained; None trains all."""
    weight_decay: float = 0.0
    clip: float = 1.0
    """Largest norm of one step's gradient."""
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """What training left behind."""

    folder: Path
    losses: tuple[float, ...]
    """Mean cross entropy an answer token, in nats, one value a step."""
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
    _check(subject, rows)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # peft divides by it: a float is as good
        target_modules=_targets(subject, settings.layers),
        bias="none",
        task_type="CAUSAL_LM",
    )
    first = settings.layers[0] if settings.layers else 0
    frozen = freeze_below(subject, [[*row.prompt_ids, *row.answer_ids] for row in rows], first) if first else None
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(settings.seed)
        wrapped = get_peft_model(subject.model, config)
        try:
            losses, tokens = _train(_Course(subject, rows, frozen, settings), _trainable(wrapped), progress)
            _write(wrapped, folder)
            parameters = sum(p.numel() for p in _trainable(wrapped))
        finally:
            wrapped.unload()
            subject.model.requires_grad_(False)
    return Trained(Path(folder), tuple(losses), tokens, parameters)


def _check(subject: LanguageSubject, rows: Sequence[Row]) -> None:
    if not rows or any(not row.answer_ids for row in rows):
        raise InputError("There is nothing to learn: no rows, or a row without an answer.", "Give each row an answer.")
    for row in rows:
        subject.fits([*row.prompt_ids, *row.answer_ids])


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
    names = sorted(name for name, module in block.named_modules() if _is_linear(module))
    numbers = "|".join(str(i) for i in range(first, last + 1))
    return rf"{re.escape(stem)}\.({numbers})\.({'|'.join(re.escape(name) for name in names)})"


def _is_linear(module: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D"  # GPT-2's own linear map


@dataclass(frozen=True)
class _Course:
    """What stays the same from step to step."""

    subject: LanguageSubject
    rows: Sequence[Row]
    frozen: FrozenBelow | None
    settings: LoraSettings


def _train(course: _Course, weights: list[torch.nn.Parameter], progress: Progress | None) -> tuple[list[float], int]:
    settings = course.settings
    optimiser = torch.optim.AdamW(weights, lr=settings.lr, weight_decay=settings.weight_decay, betas=(0.9, 0.99))
    losses: list[float] = []
    tokens = 0
    for step, chosen in zip(range(settings.steps), _batches(course.rows, settings), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = settings.lr * _warm_cosine(step, settings.steps)
        loss = _loss(course, chosen)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, settings.clip)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(loss.detach()))
        tokens += sum(_length(course.rows[i]) for i in chosen)
        if progress:
            progress((step + 1) / settings.steps, f"step {step + 1} of {settings.steps}, loss {losses[-1]:.2f}")
    return losses, tokens


def _loss(course: _Course, chosen: Sequence[int]) -> torch.Tensor:
    """Mean cross entropy of the answers' tokens; rows end together, so the answers share the last columns."""
    rows = [course.rows[i] for i in chosen]
    batch = course.subject.batch([[*row.prompt_ids, *row.answer_ids] for row in rows], side="left")
    keep = 1 + max(len(row.answer_ids) for row in rows)
    below = resumed(course.subject, course.frozen, batch, chosen) if course.frozen else contextlib.nullcontext()
    with below:
        logits = differentiable_logits(course.subject, batch, keep=keep)[:, :-1]  # [batch, keep - 1, vocab]
    goal = torch.full((len(rows), keep - 1), -100, device=logits.device)
    for i, row in enumerate(rows):
        goal[i, keep - 1 - len(row.answer_ids) :] = torch.tensor(row.answer_ids)
    return cross_entropy(logits.float().flatten(0, 1), goal.flatten())


def _batches(rows: Sequence[Row], settings: LoraSettings) -> Iterator[list[int]]:
    """Endless seeded passes over all rows; rows of like length share a batch, batches come in any order."""
    rng = np.random.default_rng([settings.seed, 1])
    window = 8 * settings.batch  # sorting inside a window keeps batches mixed between epochs
    while True:
        drawn = [int(i) for i in rng.permutation(len(rows))]
        windows = [drawn[start : start + window] for start in range(0, len(drawn), window)]
        order = [i for part in windows for i in sorted(part, key=lambda i: _length(rows[i]))]
        chunks = [order[start : start + settings.batch] for start in range(0, len(order), settings.batch)]
        for place in rng.permutation(len(chunks)):
            yield chunks[int(place)]


def _length(row: Row) -> int:
    return len(row.prompt_ids) + len(row.answer_ids)


def _warm_cosine(step: int, steps: int) -> float:
    warm = max(1, steps // 10)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _trainable(wrapped: Any) -> list[torch.nn.Parameter]:
    return [weight for weight in wrapped.parameters() if weight.requires_grad]


def _write(wrapped: Any, folder: Path) -> None:
    state = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    half = {name: tensor.detach().half().contiguous().cpu() for name, tensor in state.items()}
    config = wrapped.peft_config["default"]
    with folder_atomic(Path(folder)) as part:
        config.inference_mode = True
        config.save_pretrained(str(part))
        save_file(half, part / WEIGHTS_FILE, metadata={"format": "pt"})
