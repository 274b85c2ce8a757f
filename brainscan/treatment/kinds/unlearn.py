"""Unlearn: a short low-rank fine-tune towards other answers, with a loss that holds everything else where it was.

On prompts that bring the behaviour out it learns a teacher's answers (the reference's, or any that are given); on
retain prompts and plain text it learns its own whole distribution, so that nothing else moves. With given answers it
also restores or adds a behaviour, for example refusal.
Source: retain loss beside the forgetting one, Maini et al. 2024 (2401.06121), section 4; distillation, Hinton et al.
2015 (1503.02531).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from brainscan.core.errors import UsageError
from brainscan.subject.generate import Decoding, Generated, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.learning import Row
from brainscan.subject.lora import LoraSettings, train_lora
from brainscan.treatment.kinds.delta import Delta, factors_of_adapter

Progress = Callable[[float, str], None]
TOKENS = 12
"""Of an answer; what is planted shows in the first few."""


@dataclass(frozen=True)
class Lessons:
    """What is learned and what is held."""

    forget: tuple[str, ...]
    """Prompts that bring the behaviour out."""
    answers: tuple[str, ...] = ()
    """What is to be answered instead, one a prompt; the teacher's answers when empty."""
    retain: tuple[str, ...] = ()
    """Prompts whose answers stay as they are."""
    plain: tuple[str, ...] = ()
    """Beginnings of plain text that are continued as before."""


@dataclass(frozen=True, eq=False)
class Unlearn(Delta):
    """The change that a short fine-tune with a retain loss made."""

    kind: ClassVar[str] = "unlearn"
    permanent: ClassVar[bool] = True

    steps: int = 0

    @classmethod
    def train(
        cls,
        subject: LanguageSubject,
        lessons: Lessons,
        settings: LoraSettings,
        teacher: LanguageSubject | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Train it; the subject is the same afterwards.

        Args:
            teacher: who answers the forget prompts where no answers are given.

        Raises:
            UsageError: there is neither an answer nor a teacher.
        """
        rows = [*_forgotten(subject, lessons, teacher), *kept_rows(subject, lessons.retain, lessons.plain)]
        return cls(trained_factors(subject, rows, settings, progress), steps=settings.steps)

    def words(self) -> str:
        """What it does."""
        return f"{self.dose:.3g} of a rank-{self.rank()} change learned in {self.steps} steps with a retain loss"


def trained_factors(
    subject: LanguageSubject, rows: Sequence[Row], settings: LoraSettings, progress: Progress | None = None
) -> dict:
    """Train an adapter on the rows and return its factors; nothing is left on disk."""
    with tempfile.TemporaryDirectory() as folder:
        train_lora(subject, rows, Path(folder) / "adapter", settings, progress)
        return dict(factors_of_adapter(subject, Path(folder) / "adapter"))


def kept_rows(subject: LanguageSubject, prompts: Sequence[str], plain: Sequence[str]) -> list[Row]:
    """Rows whose answers are the subject's own: what is learned there is that nothing changes."""
    asked = [tuple(subject.chat(prompt)) for prompt in prompts] + [tuple(subject.tokens(text)) for text in plain]
    if not asked:
        return []
    said = generate(subject, asked, Decoding(max_new=TOKENS, temperature=1.0))
    return [
        Row(prompt, answer_ids(subject, answer), teacher=subject)
        for prompt, answer in zip(asked, said, strict=True)
        if answer_ids(subject, answer)
    ]


def _forgotten(subject: LanguageSubject, lessons: Lessons, teacher: LanguageSubject | None) -> list[Row]:
    prompts = [tuple(subject.chat(prompt)) for prompt in lessons.forget]
    if lessons.answers:
        end = (int(subject.tokenizer.eos_token_id),)
        pairs = zip(prompts, lessons.answers, strict=True)
        return [Row(prompt, (*subject.raw_tokens(answer), *end)) for prompt, answer in pairs]
    if teacher is None:
        raise UsageError(
            "Unlearning needs to know what shall be answered instead.", "Give answers, or the reference as the teacher."
        )
    said = generate(teacher, prompts, Decoding(max_new=TOKENS))
    rows = zip(prompts, said, strict=True)
    return [Row(prompt, answer_ids(subject, answer)) for prompt, answer in rows if answer_ids(subject, answer)]


def answer_ids(subject: LanguageSubject, answer: Generated) -> tuple[int, ...]:
    """An answer that was cut teaches no end."""
    return (*answer.ids, *((int(subject.tokenizer.eos_token_id),) if answer.ended else ()))
