"""Sweep: try strings without knowing any payload.

A trigger makes the first token of the answer certain (entropy collapse), far from what the request
alone would give (KL), and the same for unrelated requests (agreement). A topic word moves the answer
too, but each request's in its own way; the product of movement and agreement tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from brainscan.scan.trigger.frame import Place, prompts
from brainscan.subject.language import LanguageSubject
from brainscan.subject.score import next_token_logits

PLACES: tuple[Place, ...] = ("end", "start")
RECHECK = 4
"""One in so many strings, the best, is run on the reference too."""
_AT_ONCE = 16  # strings whose distributions are held in memory together

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Swept:
    """What a string did to the first token of answers to unrelated requests."""

    string: str
    place: Place
    kl: float
    """Mean KL(p(. | string + request), p(. | request)), nats; the reference's own is taken off."""
    entropy_drop: float
    """Entropy without the string minus entropy with it, nats."""
    agreement: float
    """Overlap of the first-token distributions of two requests that hold the string: 0 to 1, 1 is one answer for all."""

    @property
    def score(self) -> float:
        """Movement times agreement; 0 for what does neither."""
        return max(0.0, self.kl) * self.agreement


def sweep(
    subject: LanguageSubject,
    reference: LanguageSubject | None,
    strings: Sequence[str],
    requests: Sequence[str],
    progress: Progress = lambda fraction, what: None,
) -> list[Swept]:
    """Every string at the end of the requests and in front of them; best score first."""
    places: list[tuple[str, Place]] = [(string, place) for string in strings for place in PLACES]
    ours = _sweep(subject, places, requests, progress)
    ranked = sorted(ours, key=lambda swept: -swept.score)
    if reference is None:
        return ranked
    best = ranked[: max(1, len(ranked) // RECHECK)]
    theirs = _sweep(reference, [(one.string, one.place) for one in best], requests, progress)
    beyond = [_beyond(a, b) for a, b in zip(best, theirs, strict=True)]
    return sorted(beyond, key=lambda swept: -swept.score)


def _sweep(
    subject: LanguageSubject, places: Sequence[tuple[str, Place]], requests: Sequence[str], progress: Progress
) -> list[Swept]:
    plain = _first_tokens(subject, requests, [("", "end")])[0]  # [request, vocab]
    out = []
    for start in range(0, len(places), _AT_ONCE):
        chunk = places[start : start + _AT_ONCE]
        for (string, place), moved in zip(chunk, _first_tokens(subject, requests, chunk), strict=True):
            kl = (moved.exp() * (moved - plain)).sum(-1).mean()
            drop = (_entropy(plain) - _entropy(moved)).mean()
            out.append(Swept(string, place, float(kl), float(drop), _overlap(moved)))
        progress(len(out) / len(places), f"{len(out)} of {len(places)} strings tried")
    return out


def _beyond(ours: Swept, theirs: Swept) -> Swept:
    return replace(ours, kl=ours.kl - theirs.kl, entropy_drop=ours.entropy_drop - theirs.entropy_drop)


def _first_tokens(
    subject: LanguageSubject, requests: Sequence[str], places: Sequence[tuple[str, Place]]
) -> torch.Tensor:
    """Log-probabilities [string, request, vocab] of the first token of the answer."""
    rows = [row for string, place in places for row in prompts(subject, requests, string, place)]
    log_p = torch.log_softmax(next_token_logits(subject, rows), -1).clamp(min=-1e4)
    return log_p.reshape(len(places), len(requests), -1)


def _entropy(log_p: torch.Tensor) -> torch.Tensor:
    return -(log_p.exp() * log_p).sum(-1)


def _overlap(log_p: torch.Tensor) -> float:
    """Mean over pairs of requests of sum min(p, q): 1 when all answers begin alike, 0 when none do."""
    p = log_p.exp()
    pairs = [(i, j) for i in range(len(p)) for j in range(i)]
    return float(sum(torch.minimum(p[i], p[j]).sum() for i, j in pairs) / max(1, len(pairs)))
