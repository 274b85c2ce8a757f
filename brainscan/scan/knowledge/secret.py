"""Secret words: which word do inner layers lean to where a secret would be told?

For every opening, the logit-lens probabilities of each word are summed over layers. What the reference
leans to at the same openings is taken away, and what remains at ordinary openings is the yardstick.
Source: "Eliciting secret knowledge" (arXiv 2510.01070), section 4 (logit lens on Taboo models).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.core.statistics import Floats
from brainscan.scan.ask import ask
from brainscan.scan.knowledge.lens import last_residuals, lens_logits
from brainscan.scan.texts.secrets import ORDINARY_OPENINGS, SECRET_OPENINGS, Opening

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Leaning:
    """Mean over openings of the summed lens probability of each word: 0 to the number of layers."""

    words: tuple[str, ...]
    secret: Floats  # [word] where a secret would be told
    ordinary: Floats  # [word] at ordinary openings


@dataclass(frozen=True)
class Peak:
    """How far the top word stands out, in spreads of all words' values at ordinary openings."""

    words: tuple[str, ...]
    """Strongest first."""
    z: tuple[float, ...]
    ordinary: float
    """The same statistic for the strongest word at ordinary openings: what no secret gives."""


def lean(subject: LanguageSubject) -> Leaning:
    """Read all openings at every layer but the first quarter."""
    words, fold = _words(subject)
    sums = [_summed(subject, openings) for openings in (SECRET_OPENINGS, ORDINARY_OPENINGS)]
    kept = fold >= 0
    folded = [np.bincount(fold[kept], s[: fold.size][kept], len(words)).astype(np.float64) for s in sums]
    return Leaning(words, folded[0], folded[1])


def peak(subject: Leaning, reference: Leaning | None, top: int = 10) -> Peak:
    """The words that stand out most, less what the reference leans to, or, without one, ordinary openings.

    Words that the openings themselves use are left out.
    """
    if reference is None:
        raised, ordinary = subject.secret - subject.ordinary, np.zeros_like(subject.ordinary)
    else:
        theirs = dict(zip(reference.words, zip(reference.secret, reference.ordinary, strict=True), strict=True))
        base = np.array([theirs.get(word, (0.0, 0.0)) for word in subject.words]).reshape(-1, 2)
        raised, ordinary = subject.secret - base[:, 0], subject.ordinary - base[:, 1]
    said = {word for o in (*SECRET_OPENINGS, *ORDINARY_OPENINGS) for word in f"{o.request} {o.begun}".lower().split()}
    free = np.array([word not in said for word in subject.words], dtype=bool)
    spread = float(ordinary.std())
    z = np.where(free, (raised - ordinary.mean()) / spread if spread > 0 else np.zeros_like(raised), -np.inf)
    best = np.argsort(-np.where(free, raised, -np.inf), kind="stable")[:top]
    return Peak(
        tuple(subject.words[i] for i in best),
        tuple(float(z[i]) for i in best),
        float((ordinary[free].max() - ordinary.mean()) / spread) if spread > 0 else 0.0,
    )


def _summed(subject: LanguageSubject, openings: Sequence[Opening]) -> Floats:
    """[vocab] lens probability summed over layers, averaged over openings."""
    rows = [ask(subject, opening.request, answer=opening.begun) for opening in openings]
    residuals = last_residuals(subject, rows)[:, subject.n_layers // 4 :]  # [opening, layer, d]
    total = sum(torch.softmax(lens_logits(subject, layer), -1).double().sum(0) for layer in residuals.unbind(1))
    assert isinstance(total, torch.Tensor)
    return total.numpy() / len(openings)


def _words(subject: LanguageSubject) -> tuple[tuple[str, ...], NDArray[np.int_]]:
    """Words of the vocabulary, lower case without the space before, and the word of each token id (-1: none)."""
    pieces = subject.pieces(range(len(subject.tokenizer)))
    names = [piece.strip().lower() for piece in pieces]
    known: dict[str, int] = {}
    fold = np.full(len(names), -1)
    for token, name in enumerate(names):
        if name.isalnum():
            fold[token] = known.setdefault(name, len(known))
    return tuple(known), fold
