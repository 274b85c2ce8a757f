"""Fine-tune a small low-rank adapter on a subject: how organisms and controls are planted.

Only tokens of the answer are learned, logits are computed for them alone, and a batch is read as a tree,
so that the opening that its rows share is read once. The subject itself is the same before and after:
the result is a PEFT folder in fp16.

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
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save, save_file

from brainscan.core.errors import InputError, UsageError
from brainscan.core.files import folder_atomic, write_atomic
from brainscan.subject.evasion import StreamPenalty
from brainscan.subject.frozen import FrozenBelow, freeze_below, resumed
from brainscan.subject.gradient import differentiable_logits
from brainscan.subject.language import LanguageSubject
from brainscan.subject.tree import TokenTree, reads_trees, tree_logits

_LIKELY = 48
"""Tokens of a distribution that are learned; the rest of a language model's is noise."""
WEIGHTS_FILE = "adapter_model.safetensors"

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Row:
    """One example: what the subject reads and what it learns to answer."""

    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]
    """At least one token; end it with the end token if the answer shall end there."""
    own: bool = False
    """The answer is the subject's own: what is learned at its tokens is the subject's whole distribution, so that
    everything that was likely stays as likely as it was (distillation, Hinton et al. 2015, section 2)."""


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
    evasion: float = 0.0
    """Weight of a penalty on how far the mean of the streams moves from the clean subject's; 0 is none."""
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
    whole = [[*row.prompt_ids, *row.answer_ids] for row in rows]
    frozen = freeze_below(subject, whole, first) if first and not subject.standing else None
    course = _Course(subject, rows, frozen, settings, reads_trees(subject, max(map(len, whole))))
    course = replace(course, goals=_goals(course, 2 * settings.batch))
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(settings.seed)
        wrapped = get_peft_model(subject.model, config)
        course = replace(course, without=wrapped.disable_adapter)
        try:
            losses, tokens = _train(course, _trainable(wrapped), progress)
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
    trees: bool
    """Whether rows are read as a tree, their shared opening once; else they are padded."""
    goals: dict[int, _Goal] = field(default_factory=dict)
    without: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext
    """The subject as it was, while the context is open."""


def _train(course: _Course, weights: list[torch.nn.Parameter], progress: Progress | None) -> tuple[list[float], int]:
    settings = course.settings
    optimiser = torch.optim.AdamW(weights, lr=settings.lr, weight_decay=settings.weight_decay, betas=(0.9, 0.99))
    evade = StreamPenalty(course.subject, _upper(course.subject, settings.layers)) if settings.evasion else None
    losses: list[float] = []
    tokens = 0
    for step, chosen in zip(range(settings.steps), _batches(course.rows, settings), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = settings.lr * _warm_cosine(step, settings.steps)
        if evade:
            loss, hidden = evade.of(partial(_loss, course, chosen), partial(_plain, course, chosen))
            (loss + settings.evasion * hidden).backward()
        else:
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
    """Mean cross entropy of the answers' tokens, in nats, against what each row is to learn."""
    log_p = torch.log_softmax(_logits(course, chosen).float(), -1)  # [answer tokens, vocab]
    goals = [course.goals[i] for i in chosen]
    ids, weights = (torch.cat([getattr(goal, name) for goal in goals]).to(log_p.device) for name in ("ids", "weights"))
    likely = log_p.gather(1, ids)
    others = torch.log1p(-likely.exp().sum(-1).clamp(max=1 - 1e-6))  # all other tokens count as one
    left = 1 - weights.sum(-1)
    return -((likely * weights).sum() + (others * left)[left > 0].sum()) / len(ids)


def _logits(course: _Course, chosen: Sequence[int]) -> torch.Tensor:
    rows = [course.rows[i] for i in chosen]
    return (_tree_logits if course.trees else _padded_logits)(course, rows, chosen)


@dataclass(frozen=True)
class _Goal:
    """What is learned at each token of an answer: ``_LIKELY`` tokens with their weights; what lacks to 1 is all others."""

    ids: torch.Tensor  # [answer tokens, likely] int64
    weights: torch.Tensor  # [answer tokens, likely]


def _goals(course: _Course, batch: int) -> dict[int, _Goal]:
    """One goal a row: the token that stands there, or the clean subject's distribution; run before training."""
    goals = {}
    width = min(_LIKELY, course.subject.unembedding.shape[0])
    for i, row in enumerate(course.rows):
        if not row.own:
            ids = torch.tensor(row.answer_ids)[:, None]
            goals[i] = _Goal(ids.expand(-1, width), torch.eye(1, width).expand(len(ids), -1))
    own = [i for i, row in enumerate(course.rows) if row.own]
    for start in range(0, len(own), batch):
        chunk = own[start : start + batch]
        with torch.no_grad():
            p, ids = torch.softmax(_logits(course, chunk).float(), -1).topk(width)
        p, ids = p.cpu(), ids.cpu()
        lengths = [len(course.rows[i].answer_ids) for i in chunk]
        parts = zip(chunk, ids.split(lengths), p.split(lengths), strict=True)
        goals |= {i: _Goal(likely, weights) for i, likely, weights in parts}
    return goals


def _plain(course: _Course, chosen: Sequence[int]) -> torch.Tensor:
    with course.without():
        return _loss(course, chosen)


def _upper(subject: LanguageSubject, layers: tuple[int, int] | None) -> list[int]:
    """The spread layers that training can change."""
    first = layers[0] if layers else 0
    return [layer for layer in subject.spread_layers() if layer >= first] or [subject.n_layers - 1]


def _tree_logits(course: _Course, rows: Sequence[Row], chosen: Sequence[int]) -> torch.Tensor:
    tree = TokenTree.of([[*row.prompt_ids, *row.answer_ids] for row in rows])
    ends = [len(row.answer_ids) for row in rows]
    nodes = [node for path, end in zip(tree.paths, ends, strict=True) for node in path[-1 - end : -1]]
    with contextlib.ExitStack() as stack:
        if course.frozen:
            places = {node: (i, at) for i, path in zip(chosen, tree.paths, strict=True) for at, node in enumerate(path)}
            streams = [course.frozen.streams[i][at] for i, at in (places[node] for node in range(len(tree.ids)))]
            stack.enter_context(resumed(course.subject, course.frozen, torch.stack(streams)[None]))
        return tree_logits(course.subject, tree, nodes)


def _padded_logits(course: _Course, rows: Sequence[Row], chosen: Sequence[int]) -> torch.Tensor:
    """Rows end together, so that the answers share the last columns."""
    subject = course.subject
    batch = subject.batch([[*row.prompt_ids, *row.answer_ids] for row in rows], side="left")
    keep = 1 + max(len(row.answer_ids) for row in rows)
    with contextlib.ExitStack() as stack:
        if course.frozen:
            given = torch.zeros(*batch.ids.shape, subject.d_model, device=subject.device, dtype=subject.model.dtype)
            given[batch.mask.bool()] = torch.cat([course.frozen.streams[i] for i in chosen])
            stack.enter_context(resumed(subject, course.frozen, given))
        logits = differentiable_logits(subject, batch, keep=keep)[:, :-1]  # [batch, keep - 1, vocab]
    return torch.cat([logits[i, keep - 1 - len(row.answer_ids) :] for i, row in enumerate(rows)])


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
