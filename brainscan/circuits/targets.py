"""What is explained: top logits, chosen tokens, a logit difference, or any direction at any site.

A target is a vector at a site and a position; its value is the activation there, projected on the vector. Logit
vectors are rows of the unembedding minus their mean over the vocabulary, as in circuit-tracer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from brainscan.core.address import Site
from brainscan.core.errors import InputError, UsageError
from brainscan.core.visible import visible
from brainscan.subject.language import LanguageSubject

FINAL = Site("final_norm")


@dataclass(frozen=True, eq=False)
class Target:
    """One direction to explain."""

    label: str
    site: Site
    position: int
    vector: torch.Tensor  # [d]
    weight: float
    """Its share in the outcome, all shares together 1."""
    token: int | None = None
    probability: float | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """One or more targets, explained together."""

    words: str
    targets: tuple[Target, ...]


def top_logits(subject: LanguageSubject, logits: torch.Tensor, position: int, *, most: int, mass: float) -> Outcome:
    """The smallest set of next tokens that holds ``mass`` of the probability, at most ``most`` of them.

    Args:
        logits: [vocab] at ``position``.
    """
    probabilities = torch.softmax(logits.float(), -1)
    top, ids = probabilities.topk(min(most, logits.shape[0]))
    kept = int((top.cumsum(0) < mass).sum()) + 1
    found = _tokens(subject, ids[:kept].tolist(), top[:kept].tolist(), position)
    return Outcome(f"the next token ({len(found)} most likely)", found)


def chosen_tokens(subject: LanguageSubject, logits: torch.Tensor, position: int, ids: Sequence[int]) -> Outcome:
    """Some next tokens, weighted by their probabilities."""
    probabilities = torch.softmax(logits.float(), -1)
    found = _tokens(subject, ids, [float(probabilities[i]) for i in ids], position)
    return Outcome("the next token is " + " or ".join(_quoted(target.label) for target in found), found)


def logit_difference(
    subject: LanguageSubject, logits: torch.Tensor, position: int, towards: int, against: int
) -> Outcome:
    """The logit of one next token minus that of another."""
    if towards == against:
        raise UsageError("A token cannot be set against itself.", "Name two different tokens.")
    a, b = subject.pieces([towards, against])
    vector = (subject.unembedding[towards] - subject.unembedding[against]).detach().float()
    target = Target(f"{a} - {b}", FINAL, position, vector, 1.0)
    return Outcome(f"the next token is {_quoted(a)} rather than {_quoted(b)}", (target,))


def direction(subject: LanguageSubject, site: str | Site, position: int, vector: torch.Tensor, label: str) -> Outcome:
    """Any direction at any site: a probe, a feature, a mean difference.

    Raises:
        SiteUnavailable: the model lacks the site.
        UsageError: the vector does not fit it.
    """
    place = subject.check(site)
    if vector.dim() != 1 or place.point not in (
        "resid_pre",
        "resid_mid",
        "resid_post",
        "mlp_in",
        "attn_out",
        "final_norm",
    ):
        raise UsageError(f"{place} has no plain direction of shape {list(vector.shape)}.", "Give one vector [d_model].")
    return Outcome(
        f"the direction {_quoted(label)} at {place}",
        (Target(label, place, position, vector.to(subject.device).float(), 1.0),),
    )


def one_token(subject: LanguageSubject, text: str) -> int:
    """The id of a text that is one token; a missing leading space is tried too.

    Raises:
        InputError: it is several tokens.
    """
    for spelled in (text, f" {text}"):
        ids = subject.raw_tokens(spelled)
        if len(ids) == 1:
            return ids[0]
    pieces = subject.pieces(subject.raw_tokens(text))
    raise InputError(
        f"{visible(text)!r} is {len(pieces)} tokens in this model: {', '.join(repr(visible(p)) for p in pieces[:8])}.",
        "Name the first of them; a leading space belongs to the token.",
    )


def _tokens(
    subject: LanguageSubject, ids: Sequence[int], probabilities: Sequence[float], position: int
) -> tuple[Target, ...]:
    matrix = subject.unembedding
    centre = matrix.mean(0)
    total = sum(probabilities) or 1.0
    return tuple(
        Target(piece, FINAL, position, (matrix[i] - centre).detach().float(), p / total, token=int(i), probability=p)
        for i, p, piece in zip(ids, probabilities, subject.pieces(ids), strict=True)
    )


def _quoted(text: str) -> str:
    return f'"{visible(text, keep="")}"'
