"""From a concept's texts to activations: one mean over the begun answer for every item and layer.

The instruction names the concept, so its tokens are masked: what is averaged are the tokens of the
begun answer, the same words in every arm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.statistics import Floats
from brainscan.scan.ask import ask
from brainscan.scan.texts.contrasts import Concept, Content

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

Arm = Literal["positive", "negative", "topical"]
Progress = Callable[[float, str], None]

_FLOATS_AT_ONCE = 16_000_000
"""Activations held while a chunk is reduced to means: 64 MB."""


@dataclass(frozen=True)
class Item:
    """One text to read: an instruction, a request and the beginning of the answer."""

    arm: Arm
    template: int
    """Which wording, or which topical control."""
    instruction: str
    content: Content

    @property
    def prompt(self) -> str:
        """Everything before the begun answer, for a reader."""
        return f"{self.instruction}\n{self.content.request}"


@dataclass(frozen=True)
class Row:
    """Token ids of an item, and where the begun answer starts."""

    ids: tuple[int, ...]
    start: int


def items_of(concept: Concept, contents: int) -> tuple[Item, ...]:
    """Both arms of every wording and the topical controls, each with the first ``contents`` contents."""
    return tuple(
        Item(arm, template, instruction, content)
        for arm, template, instruction in _instructions(concept)
        for content in concept.contents[:contents]
    )


def row_of(subject: LanguageSubject, item: Item) -> Row:
    """Tokens of an item.

    Raises:
        InputError: it is longer than the subject can read.
    """
    request, begun = item.content.request, item.content.begun
    whole = ask(subject, request, system=item.instruction, answer=begun)
    bare = ask(subject, request, system=item.instruction)
    shared = next((i for i, (a, b) in enumerate(zip(whole, bare, strict=False)) if a != b), len(bare))
    return Row(tuple(whole), min(shared, len(whole) - 1))


def read_means(
    subject: LanguageSubject, items: Sequence[Item], layers: Sequence[int], progress: Progress = lambda f, w: None
) -> Floats:
    """Mean residual stream over the begun answer [item, layer, d_model].

    Raises:
        InputError: an item is longer than the subject can read.
    """
    rows = [row_of(subject, item) for item in items]
    out = np.empty((len(rows), len(layers), subject.d_model))
    done = 0
    for chunk in _chunks(rows, _FLOATS_AT_ONCE // (len(layers) * subject.d_model)):
        for at, tokens in zip(chunk, read_tokens(subject, [rows[i] for i in chunk], layers), strict=True):
            out[at] = tokens[rows[at].start :].mean(0)
        done += len(chunk)
        progress(done / len(rows), f"{done} of {len(rows)} texts")
    return out


def read_tokens(subject: LanguageSubject, rows: Sequence[Row], layers: Sequence[int]) -> list[Floats]:
    """Residual stream of every token, one array [token, layer, d_model] a row."""
    sites = [Site("resid_post", layer) for layer in layers]
    seen = capture(subject, [row.ids for row in rows], sites)
    return [np.stack([seen[site].rows[i].numpy() for site in sites], 1) for i in range(len(rows))]


def read_last(subject: LanguageSubject, requests: Sequence[str], layers: Sequence[int]) -> Floats:
    """Residual stream at the last token before the answer [request, layer, d_model]."""
    sites = [Site("resid_post", layer) for layer in layers]
    seen = capture(subject, [ask(subject, request) for request in requests], sites, keep="last")
    return np.stack([seen[site].values.numpy() for site in sites], 1).astype(np.float64)


def _instructions(concept: Concept) -> Iterator[tuple[Arm, int, str]]:
    for template, wording in enumerate(concept.wordings):
        yield "positive", template, wording.positive
        yield "negative", template, wording.negative
    for template, instruction in enumerate(concept.topical):
        yield "topical", template, instruction


def _chunks(rows: Sequence[Row], tokens: int) -> Iterator[list[int]]:
    chunk: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: len(rows[i].ids)):
        if chunk and (len(chunk) + 1) * len(rows[i].ids) > tokens:
            yield chunk
            chunk = []
        chunk.append(i)
    if chunk:
        yield chunk
