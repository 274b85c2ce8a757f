"""Benign fine-tuning: as many steps on ordinary answers, with nothing aimed at the behaviour. A baseline.

A treatment that does not beat it has only shown that any training disturbs a planted behaviour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.learning import Row
from brainscan.subject.lora import LoraSettings
from brainscan.treatment.kinds.delta import Delta
from brainscan.treatment.kinds.unlearn import TOKENS, Progress, trained_factors


@dataclass(frozen=True, eq=False)
class BenignTuning(Delta):
    """The change that a fine-tune on ordinary requests made."""

    kind: ClassVar[str] = "benign"
    permanent: ClassVar[bool] = True

    steps: int = 0

    @classmethod
    def train(
        cls,
        subject: LanguageSubject,
        prompts: Sequence[str],
        settings: LoraSettings,
        teacher: LanguageSubject | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Fine-tune on greedy answers to ordinary prompts, the teacher's if there is one, else the subject's own."""
        asked = [tuple(subject.chat(prompt)) for prompt in prompts]
        said = generate(teacher or subject, asked, Decoding(max_new=TOKENS))
        rows = [Row(prompt, answer.ids) for prompt, answer in zip(asked, said, strict=True) if answer.ids]
        return cls(trained_factors(subject, rows, settings, progress), steps=settings.steps)

    def words(self) -> str:
        """What it does."""
        return f"{self.dose:.3g} of a rank-{self.rank()} change learned in {self.steps} steps on ordinary requests"
