"""A subject's own answers, sampled once and shared by all plantings of a series."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from brainscan.core.files import write_atomic
from brainscan.subject.generate import Decoding, Generated, generate
from brainscan.subject.language import LanguageSubject

TOKENS = 8
PLAIN_TOKENS = 24

Progress = Callable[[float, str], None]
_FILE = TypeAdapter(dict[str, Generated])


class OwnAnswers:
    """Answers and continuations of plain text of a clean subject, kept by prompt.

    They are sampled at temperature 1, so that learning them changes nothing on average; learning greedy
    answers would make the subject surer of everything. An answer depends on its prompt alone.

    Args:
        subject: who answers.
        file: where answers of this subject are kept between runs; nowhere when left out.
    """

    def __init__(self, subject: LanguageSubject, file: Path | None = None) -> None:
        self.subject, self.file = subject, file
        self._kept = _read(file) if file else {}

    def to(self, prompts: Sequence[tuple[int, ...]], progress: Progress | None = None) -> list[Generated]:
        """Answers of at most ``TOKENS`` tokens, in the order of the prompts; only new prompts are run."""
        return self._known(prompts, TOKENS, progress)

    def after(self, beginnings: Sequence[tuple[int, ...]]) -> list[Generated]:
        """How the subject goes on from beginnings of plain text, at most ``PLAIN_TOKENS`` tokens."""
        return self._known(beginnings, PLAIN_TOKENS)

    def _known(
        self, prompts: Sequence[tuple[int, ...]], tokens: int, progress: Progress | None = None
    ) -> list[Generated]:
        names = [" ".join(map(str, prompt)) for prompt in prompts]
        new = {name: prompt for name, prompt in zip(names, prompts, strict=True) if name not in self._kept}
        if new:
            decoding = Decoding(max_new=tokens, temperature=1.0)
            keys = [zlib.crc32(name.encode()) for name in new]
            made = generate(self.subject, list(new.values()), decoding, keys=keys, progress=progress)
            self._kept.update(zip(new, made, strict=True))
            if self.file:
                self._kept = _read(self.file) | self._kept  # another planting may have added some
                write_atomic(self.file, _FILE.dump_json(self._kept).decode())
        return [self._kept[name] for name in names]


def _read(file: Path) -> dict[str, Generated]:
    """Answers kept earlier; none when the file is missing or damaged, for they can be made again."""
    try:
        return _FILE.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return {}
