"""Contexts: documents packed into rows of one length, shuffled in wide windows of tokens.

The order is shuffled here, where it is cheap (a token is four bytes, its activations are thousands),
over windows of thousands of rows. A window is a pure function of where it starts, so that a state is
a few numbers and resuming is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brainscan.activations.sources import TextSource
from brainscan.core.errors import InputError
from brainscan.core.evidence import Record

Rows = NDArray[np.int32]  # [row, pos]


class Tokenizes(Protocol):
    """The part of a subject that packing needs."""

    tokenizer: Any

    @property
    def max_length(self) -> int:
        """Longest row that the subject reads."""
        ...

    def raw_tokens(self, text: str) -> list[int]:
        """Token ids with no special token around them."""
        ...


@dataclass(frozen=True)
class Packing:
    """How documents become rows."""

    context: int = 128
    """Tokens a row."""
    bos: bool | None = None
    """Begin every row with the BOS token; None: if the tokenizer itself does so with plain text."""
    window: int = 4096
    """Rows that are shuffled together."""
    seed: int | None = 0
    """Of the order; None keeps the order of the documents."""
    passes: int | None = 1
    """How often the source is read, each time in another order; None for as often as asked."""


class Cursor(Record):
    """Where a window begins. Small, exact, and JSON."""

    passed: int = 0
    """Whole passes over the source before this one."""
    documents: int = 0
    """Documents of this pass that are consumed."""
    window: int = 0
    """Windows before this one, over all passes: part of the shuffle's seed."""
    rest: tuple[int, ...] = ()
    """Tokens of the last document that did not fit the window before."""


@dataclass(frozen=True)
class Window:
    """One window of rows with where the next one begins."""

    rows: Rows
    after: Cursor
    exhausted: bool
    """True when the source has no further window."""


class Packer:
    """Packs one source for one tokenizer.

    Documents follow each other with an end-of-text token between them (where the tokenizer has one);
    rows are cut at every ``context`` tokens. The last, unfilled row of a pass is dropped.
    """

    def __init__(self, source: TextSource, subject: Tokenizes, packing: Packing) -> None:
        if packing.context < 2 or packing.window < 1:
            raise InputError("A context needs at least 2 tokens.", "Ask for a longer context, for example 128.")
        if packing.context > subject.max_length:
            raise InputError(
                f"A context of {packing.context:,} tokens is asked for, and the model reads at most {subject.max_length:,}.",
                "Ask for a shorter context, for example 128.",
            )
        self.source, self.subject, self.packing = source, subject, packing
        tokenizer = subject.tokenizer
        wanted = _adds_bos(tokenizer) if packing.bos is None else packing.bos
        self.bos: int | None = tokenizer.bos_token_id if wanted else None
        self.separator: int | None = tokenizer.eos_token_id

    def windows(self, cursor: Cursor) -> Iterator[Window]:
        """Windows from a cursor on, until the passes are used up.

        Raises:
            InputError: the source holds less than one row.
        """
        while True:
            window = self._fill(cursor)
            if len(window.rows):
                yield window
            elif cursor.window == 0:
                raise InputError(
                    f"{self.source.name} holds less than one context of {self.packing.context} tokens.",
                    "Give more text, or ask for a shorter context.",
                )
            if window.exhausted:
                return
            cursor = window.after

    def _fill(self, cursor: Cursor) -> Window:
        body = self.packing.context - (self.bos is not None)
        need = self.packing.window * body
        tokens = list(cursor.rest)
        documents = cursor.documents
        ended = True
        for text in self.source.texts(cursor.documents) if len(tokens) < need else ():
            tokens += self.subject.raw_tokens(text)
            if self.separator is not None:
                tokens.append(self.separator)
            documents += 1
            if len(tokens) >= need:
                ended = False
                break
        else:
            ended = len(tokens) < need
        used = min(need, len(tokens) // body * body)
        rows = self._rows(tokens[:used], body, cursor.window)
        if not ended:
            after = Cursor(
                passed=cursor.passed, documents=documents, window=cursor.window + 1, rest=tuple(tokens[used:])
            )
            return Window(rows, after, exhausted=False)
        after = Cursor(passed=cursor.passed + 1, window=cursor.window + 1)
        last = self.packing.passes is not None and after.passed >= self.packing.passes
        return Window(rows, after, exhausted=last or (not len(rows) and cursor.documents == 0))

    def _rows(self, tokens: list[int], body: int, window: int) -> Rows:
        rows = np.asarray(tokens, dtype=np.int32).reshape(-1, body)
        if self.packing.seed is not None:
            rows = rows[np.random.default_rng([self.packing.seed, window]).permutation(len(rows))]
        if self.bos is not None:
            rows = np.concatenate([np.full((len(rows), 1), self.bos, np.int32), rows], axis=1)
        return np.ascontiguousarray(rows)


def _adds_bos(tokenizer: Any) -> bool:
    bos = tokenizer.bos_token_id
    return bos is not None and tokenizer("a")["input_ids"][:1] == [bos]
