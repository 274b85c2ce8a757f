"""Revert: take back that part of a fine-tune which carries a behaviour, and leave the rest of it.

What training changed is written as singular directions, matrix by matrix, and each direction gets one number between 0
(left as it is) and 1 (taken back). The numbers are learned: on prompts that bring the behaviour out the subject is to
say what its reference would say, on retain prompts and plain text what it says itself. It needs a reference; what it
shows beyond going back is how much of the fine-tune can stay. Only the linear maps of blocks are looked at, and eight
directions of each: where training changed no more than that (a LoRA of rank 8 or less), all ones are the reference;
else embeddings, norms and further directions stay as training left them.
Source: negated task vectors, Ilharco et al. 2022 (2212.04089), section 4; learned coefficients a block of a task vector,
Zhang et al. 2024 (2407.02880), section 3.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch

from brainscan.core.errors import UsageError
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.learning import Course, Progress, Row, Schedule, learn
from brainscan.subject.lora import is_linear
from brainscan.treatment.kinds.delta import LEFT, RIGHT, Delta
from brainscan.treatment.kinds.low_rank import LowRankRemoval
from brainscan.treatment.kinds.unlearn import TOKENS, Lessons, answer_ids, kept_rows
from brainscan.treatment.protocol import Tensors

RANK = 8
"""Directions of a matrix's change that are told apart; a fine-tune of a higher rank keeps the others."""


@dataclass(frozen=True, eq=False)
class Revert(Delta):
    """Minus the learned share of each singular direction of subject minus reference."""

    kind: ClassVar[str] = "revert"
    permanent: ClassVar[bool] = True

    steps: int = 0
    share: float = 0.0
    """Mean share of a direction that is taken back at dose 1: 0 none, 1 all that was told apart."""

    @classmethod
    def train(
        cls,
        subject: LanguageSubject,
        reference: LanguageSubject,
        lessons: Lessons,
        schedule: Schedule,
        progress: Progress | None = None,
    ) -> Self:
        """Learn the shares; the subject is the same afterwards.

        Args:
            lessons: prompts that bring the behaviour out, and what is held; given answers are not looked at.

        Raises:
            UsageError: the two differ in shape, or in no linear map of a block.
            InputError: there is no prompt to learn from.
        """
        change = LowRankRemoval.of(subject, reference, RANK).vectors
        maps = [name for key in change if key.endswith(LEFT) and _map_of(subject, name := key.removesuffix(LEFT))]
        if not maps:
            raise UsageError(
                f"Training changed no linear map in a block of {subject.card.name}, so there is nothing to choose from.",
                "Use another kind, for example low-rank.",
            )
        rows = [
            *_forgotten(subject, reference, lessons.forget),
            *kept_rows(subject, lessons.retain, lessons.plain),
        ]
        course = Course.of(subject, rows, schedule, min(_block(subject, name) for name in maps))
        gates = {name: torch.nn.Parameter(change[name + LEFT].new_zeros(change[name + LEFT].shape[1])) for name in maps}
        with torch.enable_grad(), _gated(subject, change, gates):
            learn(course, list(gates.values()), progress)
        shares = {name: torch.sigmoid(gate.detach()) for name, gate in gates.items()}
        kept = {name + LEFT: change[name + LEFT] * share for name, share in shares.items()}
        kept |= {name + RIGHT: change[name + RIGHT] for name in shares}
        return cls(kept, steps=schedule.steps, share=float(torch.cat(list(shares.values())).mean()))

    def words(self) -> str:
        """What it does."""
        return (
            f"{self.dose:.3g} of a learned reversion: {self.share:.0%} of the {self.rank()} strongest directions of change "
            f"in {len(self.parameters())} matrices, chosen direction by direction in {self.steps} steps"
        )


def _forgotten(subject: LanguageSubject, reference: LanguageSubject, prompts: tuple[str, ...]) -> list[Row]:
    """The reference's whole distribution along its own answers and along the subject's, so that an answer that was begun
    as planted does not go on as planted either."""
    asked = [tuple(subject.chat(prompt)) for prompt in prompts]
    rows = []
    for who in (reference, subject):
        said = generate(who, asked, Decoding(max_new=TOKENS))
        told = [(prompt, answer_ids(who, answer)) for prompt, answer in zip(asked, said, strict=True)]
        rows += [Row(prompt, ids, teacher=reference) for prompt, ids in told if ids]
    return rows


@contextlib.contextmanager
def _gated(subject: LanguageSubject, change: Tensors, gates: dict[str, torch.nn.Parameter]) -> Iterator[None]:
    """While open, every changed map works as if its share of the change were taken back."""
    handles = []
    try:
        for name, gate in gates.items():
            module = _map_of(subject, name)
            assert module is not None
            handles.append(module.register_forward_hook(_hook(module, change[name + LEFT], change[name + RIGHT], gate)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(
    module: torch.nn.Module, left: torch.Tensor, right: torch.Tensor, gate: torch.nn.Parameter
) -> Callable[[Any, Any, torch.Tensor], torch.Tensor]:
    """A linear map's weight is [out, in], GPT-2's [in, out]."""
    inner, outer = (right.T, left.T) if isinstance(module, torch.nn.Linear) else (left, right)

    def add(module: Any, args: Any, out: torch.Tensor) -> torch.Tensor:
        x = args[0]
        return out + ((x @ inner.to(x)) * torch.sigmoid(gate).to(x)) @ outer.to(x)

    return add


def _map_of(subject: LanguageSubject, parameter: str) -> torch.nn.Module | None:
    """The linear map of a block whose weight this is; None for embeddings and anything else."""
    stem = f"{subject.family.body}.{subject.family.layers}."
    if not parameter.startswith(stem) or not parameter.endswith(".weight"):
        return None
    module = subject.model.get_submodule(parameter.removesuffix(".weight"))
    return module if is_linear(module) else None


def _block(subject: LanguageSubject, parameter: str) -> int:
    return int(parameter.removeprefix(f"{subject.family.body}.{subject.family.layers}.").split(".")[0])
