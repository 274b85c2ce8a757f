"""Directions and probes for treatments, from prompts that bring a behaviour out and prompts that do not.

Source: difference in means, Marks & Tegmark 2023 (2310.06824), section 5; a linear discriminant with a shrunk
covariance, Ledoit & Wolf 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf

from brainscan.activations.capture import Keep, capture
from brainscan.core.errors import UsageError
from brainscan.subject.language import LanguageSubject

Rows = Sequence[str | Sequence[int]]

_ABOUT = (
    "I keep thinking about {}.", "Tell me about {}.", "The story is all about {}.", "Nothing is as important as {}.",
    "She spent the whole day with {}.", "This is a book on {}.", "They talked of {} for hours.", "I love {}.",
    "Everything here reminds me of {}.", "We wrote a long letter about {}.",
)  # fmt: skip
_OTHER = (
    "the weather",
    "a chair",
    "the report",
    "a train ticket",
    "the kitchen",
    "a new phone",
    "the garden wall",
    "school",
)


@dataclass(frozen=True, eq=False)
class TokenProbe:
    """Fires where the projection of a token's activation on the direction passes the threshold."""

    site: str
    direction: torch.Tensor  # [d]
    threshold: float
    recall: float
    """Share of the prompts that it was made from on which it fires, 0 to 1."""


def chats(subject: LanguageSubject, prompts: Sequence[str]) -> list[list[int]]:
    """Token ids of prompts, ready for the answer."""
    return [subject.chat(prompt) for prompt in prompts]


def mean_difference(
    subject: LanguageSubject, positive: Rows, negative: Rows, sites: Sequence[str], keep: Keep = "last"
) -> dict[str, torch.Tensor]:
    """Site -> mean activation [d] of the positive rows minus that of the negative ones."""
    _check(positive, negative)
    ours, theirs = capture(subject, positive, sites, keep=keep), capture(subject, negative, sites, keep=keep)
    return {str(site): ours[site].values.mean(0) - theirs[site].values.mean(0) for site in ours}


def moved_from(
    subject: LanguageSubject, reference: LanguageSubject, rows: Rows, sites: Sequence[str], keep: Keep = "last"
) -> dict[str, torch.Tensor]:
    """Site -> mean over rows of the subject's activation minus the reference's [d]."""
    ours, theirs = capture(subject, rows, sites, keep=keep), capture(reference, rows, sites, keep=keep)
    return {str(site): ours[site].values.mean(0) - theirs[site].values.mean(0) for site in ours}


def mean_levels(
    subject: LanguageSubject, rows: Rows, directions: dict[str, torch.Tensor], keep: Keep = "all"
) -> dict[str, float]:
    """Site -> mean component of ordinary rows along the unit direction."""
    found = capture(subject, rows, list(directions), keep=keep)
    return {
        str(site): float((seen.values @ (directions[str(site)] / directions[str(site)].norm())).mean())
        for site, seen in found.items()
    }


def token_probe(subject: LanguageSubject, positive: Rows, negative: Rows, texts: Rows, site: str) -> TokenProbe:
    """A probe that tells the last tokens of positive rows from every token of negative rows and of plain texts.

    The threshold lies half-way between the highest clean token and the median of the positive rows, and never below
    the highest clean token: no token that it was made with sets off a false alarm.
    """
    _check(positive, negative)
    on = capture(subject, positive, [site], keep="last")
    off = capture(subject, [*negative, *texts], [site])
    x, clean = (next(iter(found.values())).values.double().numpy() for found in (on, off))
    covariance, _ = ledoit_wolf(clean)
    direction = np.linalg.solve(covariance, x.mean(0) - clean.mean(0))
    direction /= np.linalg.norm(direction)
    scores, highest = x @ direction, float((clean @ direction).max())
    threshold = max(highest, (highest + float(np.median(scores))) / 2)
    return TokenProbe(site, torch.tensor(direction, dtype=torch.float32), threshold, float((scores > threshold).mean()))


def concept_direction(subject: LanguageSubject, concept: str, sites: Sequence[str]) -> dict[str, torch.Tensor]:
    """Site -> what sentences about a concept have that the same sentences about other things have not [d]."""
    about = [form.format(concept) for form in _ABOUT]
    other = [form.format(thing) for form in _ABOUT for thing in _OTHER]
    return mean_difference(subject, about, other, sites, keep="mean")


def _check(positive: Rows, negative: Rows) -> None:
    if not positive or not negative:
        raise UsageError(
            "A direction needs prompts of both sides.",
            "Give prompts that bring the behaviour out, and ones that do not.",
        )
