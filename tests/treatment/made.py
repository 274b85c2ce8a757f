"""One treatment of every kind for a phantom, at a dose at which it does something."""

from __future__ import annotations

from typing import Any

import torch

from brainscan.dictionary.dictionary import Dictionary
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import D_MODEL, phantom
from brainscan.treatment.behaviour import Behaviour
from brainscan.treatment.kinds.benign import BenignTuning
from brainscan.treatment.kinds.clamp import Clamp
from brainscan.treatment.kinds.conditional import PROBE, Conditional
from brainscan.treatment.kinds.delta import LEFT, RIGHT
from brainscan.treatment.kinds.low_rank import LowRankRemoval
from brainscan.treatment.kinds.orthogonalise import DIRECTION, Orthogonalise
from brainscan.treatment.kinds.patch import Patch
from brainscan.treatment.kinds.project_out import ProjectOut
from brainscan.treatment.kinds.random_direction import RandomDirection
from brainscan.treatment.kinds.revert import Revert
from brainscan.treatment.kinds.steer import Steer
from brainscan.treatment.kinds.system_prompt import SystemPrompt
from brainscan.treatment.kinds.unlearn import Unlearn

SITE = "resid_post.1"


def vector(seed: int = 0, width: int = D_MODEL) -> torch.Tensor:
    return torch.randn(width, generator=torch.Generator().manual_seed(seed))


def dictionary(features: int = 48) -> Dictionary:
    drawn = torch.Generator().manual_seed(3)
    weights = torch.randn(D_MODEL, features, generator=drawn) / D_MODEL**0.5
    return Dictionary(
        kind="topk",
        reads=(SITE,),
        writes=(SITE,),
        W_enc=weights,
        b_enc=torch.zeros(features),
        W_dec=weights.T.contiguous(),
        b_dec=torch.zeros(D_MODEL),
        activation="topk",
        k=8,
    )


def factors(subject: LanguageSubject, rank: int = 2) -> dict[str, torch.Tensor]:
    name = next(n for n, w in subject.model.named_parameters() if ".1." in n and w.dim() == 2)
    out, inside = dict(subject.model.named_parameters())[name].shape
    drawn = torch.Generator().manual_seed(5)
    return {
        name + LEFT: torch.randn(out, rank, generator=drawn),
        name + RIGHT: torch.randn(rank, inside, generator=drawn),
    }


def every_kind(subject: LanguageSubject) -> dict[str, Any]:
    return {
        "steer": Steer({SITE: vector()}, 2.0),
        "project-out": ProjectOut({SITE: vector(), "resid_post.2": vector(1)}, levels={SITE: 0.5}),
        "clamp": Clamp.of(dictionary(), 3, 6.0),
        "patch": Patch({SITE: vector()}),
        "conditional": Conditional({PROBE: vector(), SITE: 3 * vector(1)}, watch="resid_post.0", threshold=-0.5),
        "orthogonalise": Orthogonalise({DIRECTION: vector()}, layers=(1, 2)),
        "low-rank": LowRankRemoval(factors(subject)),
        "revert": Revert(factors(subject), steps=3, share=0.5),
        "unlearn": Unlearn(factors(subject), steps=3),
        "system-prompt": SystemPrompt(text="Be brief."),
        "benign": BenignTuning(factors(subject), steps=3),
        "random": RandomDirection.of_norms({SITE: 4.0}, D_MODEL, seed=2),
    }


def says_letter(letter: str = "e") -> Behaviour:
    prompts = tuple(f"What is {n}?" for n in ("rain", "snow", "wind", "fog", "hail", "ice"))
    return Behaviour(
        name="letter",
        learn=prompts[:4],
        contrast=tuple(f"Tell me of {n}." for n in ("bread", "salt", "milk", "tea")),
        on=prompts,
        off=("Who is there?", "Where is it?"),
        shows=lambda prompt, answer: letter in answer,
        tokens=4,
    )


def subject() -> LanguageSubject:
    return phantom()
