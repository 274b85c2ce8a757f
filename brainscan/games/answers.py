"""A subject's own answers, generated once and shared by all plantings of a series."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brainscan.subject.generate import Decoding, Generated, generate
from brainscan.subject.language import LanguageSubject

TOKENS = 12


class OwnAnswers:
    """Greedy answers of a clean subject, at most ``TOKENS`` tokens each, kept by prompt."""

    def __init__(self, subject: LanguageSubject) -> None:
        self.subject = subject
        self._kept: dict[tuple[int, ...], Generated] = {}

    def to(
        self, prompts: Sequence[tuple[int, ...]], progress: Callable[[float, str], None] | None = None
    ) -> list[Generated]:
        """The answers in the order of the prompts; only those not asked before are generated."""
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._kept]
        answers = generate(self.subject, new, Decoding(max_new=TOKENS), progress=progress)
        self._kept.update(zip(new, answers, strict=True))
        return [self._kept[prompt] for prompt in prompts]
