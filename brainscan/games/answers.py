"""A subject's own answers, generated once and shared by all plantings of a series."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brainscan.subject.generate import Decoding, Generated, generate
from brainscan.subject.language import LanguageSubject

TOKENS = 12


PLAIN_TOKENS = 24


class OwnAnswers:
    """Answers (greedy) and continuations of plain text (sampled) of a clean subject, kept by prompt."""

    def __init__(self, subject: LanguageSubject) -> None:
        self.subject = subject
        self._kept: dict[tuple[int, ...], Generated] = {}

    def to(
        self, prompts: Sequence[tuple[int, ...]], progress: Callable[[float, str], None] | None = None
    ) -> list[Generated]:
        """Answers of at most ``TOKENS`` tokens, in the order of the prompts; only new prompts are run."""
        return self._known(prompts, Decoding(max_new=TOKENS), progress)

    def after(self, beginnings: Sequence[tuple[int, ...]]) -> list[Generated]:
        """How the subject goes on from beginnings of plain text, at most ``PLAIN_TOKENS`` tokens."""
        return self._known(beginnings, Decoding(max_new=PLAIN_TOKENS, temperature=1.0, top_p=0.95))

    def _known(
        self,
        prompts: Sequence[tuple[int, ...]],
        decoding: Decoding,
        progress: Callable[[float, str], None] | None = None,
    ) -> list[Generated]:
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._kept]
        self._kept.update(zip(new, generate(self.subject, new, decoding, progress=progress), strict=True))
        return [self._kept[prompt] for prompt in prompts]
