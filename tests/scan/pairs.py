"""Two phantoms that differ in one known way, and an examination of them."""

from __future__ import annotations

from typing import Any

import torch

from brainscan.scan.instrument import Examination, Instrument
from brainscan.scan.record import Step
from brainscan.subject.generate import Generated
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom


def examination(
    instrument: Instrument, subject: LanguageSubject, reference: LanguageSubject | None, **settings: Any
) -> Examination:
    """An examination with the standard settings, some of them changed."""
    given = instrument.settings("standard")
    assert given is not None
    step = Step(instrument=instrument.name, title=instrument.title, settings={**given, **settings})
    return Examination(subject, reference, step, seed=0)


def outspoken(token: str, bias: float) -> LanguageSubject:
    """A GPT-J phantom whose output bias raises one token by ``bias`` in every place."""
    subject = phantom("gptj")
    with torch.no_grad():
        subject.model.lm_head.bias[subject.raw_tokens(token)[0]] += bias
    return subject


def shifted(layer: int, vector: torch.Tensor) -> LanguageSubject:
    """A GPT-2 phantom that adds a constant vector to the residual stream in one layer, at every token."""
    subject = phantom("gpt2")
    with torch.no_grad():
        subject.model.transformer.h[layer].mlp.c_proj.bias += vector
    return subject


def jittered(scale: float, seed: int = 7) -> LanguageSubject:
    """A Llama phantom with a little noise on every weight."""
    subject = phantom("llama")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in subject.model.parameters():
            weight += scale * torch.randn(weight.shape, generator=generator)
    return subject


def said(text: str) -> Generated:
    """An answer with that text."""
    return Generated((), text, (), True)
