"""Two models read the same tokens: how far their next-token predictions are apart, token by token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.scan.pair import shared_vocabulary

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

_CELLS = 12_000_000
"""Logits held at once for one model: 250 tokens of a vocabulary of 49 thousand."""


@dataclass(frozen=True)
class Row:
    """Tokens to read; predictions are compared from token ``begin`` (at least 1) to the end."""

    ids: tuple[int, ...]
    begin: int = 1


@dataclass(frozen=True)
class Predictions:
    """Both models' predictions of the scored tokens of one row."""

    row: Row
    kl: NDArray[np.float64]
    """[scored] KL(subject || reference) of the prediction of each token, in nats; 0 where they agree."""
    surprise: NDArray[np.float64]
    """[2, scored] -log p of the token that is there, in nats: subject, then reference."""
    promoted: NDArray[np.int64]
    """[scored, top] tokens that the subject raises most against the reference; -1 where no further one is raised."""
    demoted: NDArray[np.int64]
    """[scored, top] tokens that it lowers most; -1 likewise."""


def compare(
    subject: LanguageSubject,
    reference: LanguageSubject,
    rows: Sequence[Row],
    *,
    top: int = 10,
    progress: Callable[[float, str], None] | None = None,
) -> list[Predictions]:
    """Read each row with both models.

    A token counts as raised by the probability that it gained, p_s (log p_s - log p_r), its own term
    of the divergence: the plain difference of logits is led by tokens that neither model would say.

    Raises:
        PlanError: the two do not share a vocabulary.
        InputError: a row is too long for one of them.
    """
    width = shared_vocabulary(subject, reference)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    found: dict[int, Predictions] = {}
    for chunk in _chunks(order, rows, max(1, _CELLS // width)):
        keep = 1 + max(len(rows[i].ids) - rows[i].begin for i in chunk)
        ours, theirs = (_log_p(model, [rows[i] for i in chunk], keep, width) for model in (subject, reference))
        for place, i in enumerate(chunk):
            scored = slice(keep - 1 - (len(rows[i].ids) - rows[i].begin), keep - 1)
            found[i] = _predictions(rows[i], ours[place, scored], theirs[place, scored], top)
        if progress:
            progress(len(found) / len(rows), f"{len(found)} of {len(rows)} texts read by both models")
    return [found[i] for i in range(len(rows))]


def _chunks(order: Sequence[int], rows: Sequence[Row], tokens: int) -> list[list[int]]:
    chunks: list[list[int]] = [[]]
    for i in order:
        if chunks[-1] and (len(chunks[-1]) + 1) * len(rows[i].ids) > tokens:
            chunks.append([])
        chunks[-1].append(i)
    return [chunk for chunk in chunks if chunk]


def _log_p(model: LanguageSubject, rows: Sequence[Row], keep: int, width: int) -> torch.Tensor:
    """[row, keep, width]"""
    batch = model.batch([model.fits(row.ids) for row in rows], side="left")
    return torch.log_softmax(model.logits(batch, keep=keep)[..., :width].float(), -1)


def _predictions(row: Row, ours: torch.Tensor, theirs: torch.Tensor, top: int) -> Predictions:
    """From log-probabilities [scored, vocab] of both."""
    theirs = theirs.to(ours.device)
    gained = ours.exp() * (ours - theirs)
    lost = theirs.exp() * (theirs - ours)
    ids = torch.tensor(row.ids[row.begin :], device=ours.device)[:, None]
    surprise = torch.stack([-log_p.gather(1, ids)[:, 0] for log_p in (ours, theirs)])
    return Predictions(
        row,
        gained.double().sum(-1).clamp(min=0).cpu().numpy(),
        surprise.double().cpu().numpy(),
        _most(gained, top),
        _most(lost, top),
    )


def _most(change: torch.Tensor, top: int) -> NDArray[np.int64]:
    values, tokens = change.topk(min(top, change.shape[-1]))
    return tokens.masked_fill(values <= 0, -1).cpu().numpy()
