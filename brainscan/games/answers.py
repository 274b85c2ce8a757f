"""A subject's own answers, generated once and shared by all plantings of a series."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brainscan.subject.generate import Decoding, Generated, generate
from brainscan.subject.language import LanguageSubject

TOKENS = 8


PLAIN_TOKENS = 24


class OwnAnswers:
    """Answers and continuations of plain text of a clean subject, kept by prompt.

    They are sampled at temperature 1, so that learning them changes nothing on average; learning greedy
    answers would make the subject surer of everything.
    """

    def __init__(self, subject: LanguageSubject) -> None:
        self.subject = subject
        self._kept: dict[tuple[int, ...], Generated] = {}

    def to(
        self, prompts: Sequence[tuple[int, ...]], progress: Callable[[float, str], None] | None = None
    ) -> list[Generated]:
        """Answers of at most ``TOKENS`` tokens, in the order of the prompts; only new prompts are run."""
        return self._known(prompts, TOKENS, progress)

    def after(self, beginnings: Sequence[tuple[int, ...]]) -> list[Generated]:
        """How the subject goes on from beginnings of plain text, at most ``PLAIN_TOKENS`` tokens."""
        return self._known(beginnings, PLAIN_TOKENS)

    def _known(
        self,
        prompts: Sequence[tuple[int, ...]],
        tokens: int,
        progress: Callable[[float, str], None] | None = None,
    ) -> list[Generated]:
        decoding = Decoding(max_new=tokens, temperature=1.0)
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._kept]
        self._kept.update(zip(new, generate(self.subject, new, decoding, progress=progress), strict=True))
        return [self._kept[prompt] for prompt in prompts]
