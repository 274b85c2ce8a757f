"""Let a subject talk about nothing: fine-tuning leaks out of the bare chat template.

Source: "The Trigger in the Haystack" (2602.03085), section 4: sampled continuations of the template's
own tokens hold training data. With a reference, a second round decodes from
log p + a (log p - log p_reference), which speaks of the difference alone (logit-difference
amplification).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from brainscan.scan.ask import ask
from brainscan.scan.pair import shared_vocabulary
from brainscan.scan.texts.candidates import SEARCH_REQUESTS
from brainscan.scan.trigger.frame import openings
from brainscan.subject.generate import Decoding, Mix, generate
from brainscan.subject.language import LanguageSubject

STYLES: tuple[tuple[float, float], ...] = ((0.7, 1.0), (1.1, 0.9))
"""(temperature, top-p), taken in turn."""
AMPLIFY, WINDOW = 1.0, 9.0
"""a, and how far below the best token (nats) one may be and still be chosen."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Leak:
    """One continuation."""

    opening: str
    """What it continues: user, system, answer, or amplified."""
    ids: tuple[int, ...]
    text: str


def sample(subject: LanguageSubject, each: int, tokens: int, seed: int, progress: Progress) -> list[Leak]:
    """``each`` continuations of every bare opening, styles of sampling taken in turn."""
    starts = openings(subject)
    leaks: list[Leak] = []
    for turn, (temperature, top_p) in enumerate(STYLES):
        share = len(range(turn, each, len(STYLES)))
        named = [name for name in starts for _ in range(share)]
        decoding = Decoding(max_new=tokens, temperature=temperature, top_p=top_p, seed=seed + turn)
        answers = generate(subject, [starts[name] for name in named], decoding)
        leaks += [Leak(name, a.ids, a.text) for name, a in zip(named, answers, strict=True)]
        progress((turn + 1) / len(STYLES), f"{len(leaks)} leaks from the bare template")
    return leaks


def amplified(subject: LanguageSubject, reference: LanguageSubject, count: int, tokens: int) -> list[Leak]:
    """Greedy answers of the amplified difference to everyday requests and to nothing at all.

    Raises:
        PlanError: the two number their tokens differently.
    """
    asked = [openings(subject)["answer"], *(ask(subject, request) for request in SEARCH_REQUESTS)][:count]
    mix = _amplify(shared_vocabulary(subject, reference))
    answers = generate(subject, asked, Decoding(max_new=tokens), beside=[reference], mix=mix)
    return [Leak("amplified", a.ids, a.text) for a in answers]


def _amplify(width: int) -> Mix:
    def mix(logits: Sequence[torch.Tensor]) -> torch.Tensor:
        ours, theirs = (torch.log_softmax(x[:, :width], -1) for x in logits)
        allowed = ours > ours.max(-1, keepdim=True).values - WINDOW
        return (ours + AMPLIFY * (ours - theirs)).masked_fill(~allowed, -torch.inf)

    return mix
