"""What a difference of two models says when it is added to their residual streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from brainscan.core.address import Site
from brainscan.scan.ask import ask
from brainscan.scan.ngrams import Repeat, common_words, phrases, repeats
from brainscan.scan.pair import NEUTRAL_FRAMES
from brainscan.scan.texts.neutral import NEUTRAL_REQUESTS, NEUTRAL_TEXTS
from brainscan.subject.edit import Edit
from brainscan.subject.generate import Decoding, generate

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

DOSES = (0.3, 0.6)
"""Norm of what is added, in units of the mean norm of the activations there."""


@dataclass(frozen=True)
class Steered:
    """Answers of one model under the difference at one dose, and what is repeated in them."""

    who: str
    dose: float
    asked: tuple[str, ...]
    answers: tuple[str, ...]
    plain: tuple[str, ...]
    """The same model's answers without steering."""
    repeats: tuple[Repeat, ...]
    """Phrases said more often than without steering and than under a random direction of equal norm."""

    def example(self) -> int:
        """Place of the first answer with the leading phrase."""
        return next(i for i, text in enumerate(self.answers) if self.repeats[0].phrase in phrases(text))


def steer(
    who: str,
    model: LanguageSubject,
    asked: Sequence[str],
    layer: int,
    direction: torch.Tensor,
    norm: float,
    *,
    rng: np.random.Generator,
    progress: Callable[[float, str], None],
) -> list[Steered]:
    """Answer requests with ``direction`` [d_model] added at ``resid_post`` of a layer, at each dose.

    Args:
        norm: mean norm of the activations at that place; the direction is brought to dose x norm.
    """
    prompts = [ask(model, request) for request in asked]
    noise = torch.tensor(rng.standard_normal(direction.shape[0]), dtype=torch.float32)
    done = 0

    def answers(vector: torch.Tensor | None, dose: float) -> tuple[str, ...]:
        nonlocal done
        site = Site("resid_post", layer)
        edits = [] if vector is None else [Edit.add(site, vector / vector.norm(), dose=dose * norm)]
        texts = tuple(a.text for a in generate(model, prompts, Decoding(max_new=24), edits=edits))
        done += 1
        progress(done / (1 + 2 * len(DOSES)), f"{who}: steered answers")
        return texts

    plain = answers(None, 0.0)
    dull = common_words((*NEUTRAL_TEXTS[:NEUTRAL_FRAMES], *NEUTRAL_REQUESTS), 3)
    found = []
    for dose in DOSES:
        pushed, control = answers(direction, dose), answers(noise, dose)
        said = tuple(repeats(pushed, (*plain, *control), dull=dull))
        found.append(Steered(who, dose, tuple(asked), pushed, plain, said))
    return found
