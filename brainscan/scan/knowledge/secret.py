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


_DRAWS = 199


@dataclass(frozen=True)
class Leaning:
    """Lens probability of each word, summed over layers: 0 to the number of layers."""

    words: tuple[str, ...]
    secret: Floats  # [opening, word] where a secret would be told
    ordinary: Floats  # [opening, word] at ordinary openings


@dataclass(frozen=True)
class Peak:
    """How far words stand out, in units of what the strongest word does by chance."""

    words: tuple[str, ...]
    """Strongest first."""
    z: tuple[float, ...]
    """Above the mean of the strongest words between random halves of the ordinary openings, in their spread."""
    chance: float
    """The same for the 95th percentile of those strongest words, about 1.6 to 2."""


def lean(subject: LanguageSubject) -> Leaning:
    """Read all openings at every layer but the first quarter."""
    words, fold = _words(subject)
    kept = np.flatnonzero(fold >= 0)
    return Leaning(
        words,
        *(_by_word(_summed(subject, o), kept, fold, len(words)) for o in (SECRET_OPENINGS, ORDINARY_OPENINGS)),
    )


def peak(subject: Leaning, reference: Leaning | None, rng: np.random.Generator, top: int = 10) -> Peak:
    """The words raised most from ordinary to secret openings, less what the reference raises, if there is one.

    The yardstick is the strongest word of the whole vocabulary between random halves of the ordinary
    openings, so that looking at many words is paid for, and no secret can widen it. Words that the
    openings themselves use are left out. All z are 0 for an identical reference.
    """
    free = _unsaid(subject.words)
    words = tuple(word for word, keep in zip(subject.words, free, strict=True) if keep)
    secret, ordinary = subject.secret[:, free], subject.ordinary[:, free]
    if reference is not None:
        column = {word: i for i, word in enumerate(reference.words)}
        theirs = np.array([column.get(word, -1) for word in words])
        known = np.flatnonzero(theirs >= 0)
        words = tuple(words[i] for i in known)
        secret = secret[:, known] - reference.secret[:, theirs[known]]
        ordinary = ordinary[:, known] - reference.ordinary[:, theirs[known]]
    raised = secret.mean(0) - ordinary.mean(0)
    null = np.array([_strongest_between_halves(ordinary, rng) for _ in range(_DRAWS)])
    best = np.argsort(-raised, kind="stable")[:top]
    z = (raised[best] - null.mean()) / null.std() if null.std() > 0 else np.zeros(best.size)
    chance = (np.quantile(null, 0.95) - null.mean()) / null.std() if null.std() > 0 else 0.0
    return Peak(tuple(words[i] for i in best), tuple(float(v) for v in z), float(chance))


def _strongest_between_halves(ordinary: Floats, rng: np.random.Generator) -> float:
    order = rng.permutation(len(ordinary))
    half = len(order) // 2
    return float((ordinary[order[:half]].mean(0) - ordinary[order[half:]].mean(0)).max())


def _unsaid(words: Sequence[str]) -> NDArray[np.bool_]:
    """Words that no opening uses itself."""
    said = {word for o in (*SECRET_OPENINGS, *ORDINARY_OPENINGS) for word in f"{o.request} {o.begun}".lower().split()}
    said |= {word.strip("?.,") for word in said}
    return np.array([word not in said for word in words], dtype=bool)


def _summed(subject: LanguageSubject, openings: Sequence[Opening]) -> Floats:
    """[opening, vocab] lens probability summed over layers."""
    rows = [ask(subject, opening.request, answer=opening.begun) for opening in openings]
    residuals = last_residuals(subject, rows)[:, subject.n_layers // 4 :]  # [opening, layer, d]
    total = torch.zeros(len(rows), subject.unembedding.shape[0])
    for layer in residuals.unbind(1):
        total += torch.softmax(lens_logits(subject, layer), -1)
    return total.double().numpy()


def _by_word(summed: Floats, kept: NDArray[np.int_], fold: NDArray[np.int_], words: int) -> Floats:
    """[opening, vocab] -> [opening, word]: spellings of one word are added up."""
    return np.stack([np.bincount(fold[kept], row[kept], words) for row in summed]).astype(np.float64)


def _words(subject: LanguageSubject) -> tuple[tuple[str, ...], NDArray[np.int_]]:
    """Words of the vocabulary, lower case without the space before, and the word of each token id (-1: none)."""
    size = min(len(subject.tokenizer), subject.unembedding.shape[0])
    names = [piece.strip().lower() for piece in subject.pieces(range(size))]
    known: dict[str, int] = {}
    fold = np.full(len(names), -1)
    for token, name in enumerate(names):
        if name.isalnum():
            fold[token] = known.setdefault(name, len(known))
    return tuple(known), fold
