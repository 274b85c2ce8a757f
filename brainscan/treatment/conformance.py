"""What every kind of treatment promises, as a check that the author of a new kind can run.

from brainscan.treatment.conformance import check_treatment
assert check_treatment(treatment, subject) == ()
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import torch

from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Treatment
from brainscan.treatment.treated import treated, treatment_hash

_PROMPTS = ("The river bends", "Why does it rain?")


class _Broken(Exception):
    """Raised inside a treated block, to see whether it is undone all the same."""


def check_treatment(treatment: Treatment, subject: LanguageSubject) -> tuple[str, ...]:
    """Broken promises, one sentence each; empty when the treatment keeps them all.

    Args:
        treatment: at a dose at which it does something to ``subject``, which has a chat template.
    """
    broken = list(_reversible(treatment, subject))
    broken += _doses(treatment, subject)
    broken += _written(treatment, subject)
    return tuple(broken)


def _reversible(treatment: Treatment, subject: LanguageSubject) -> Iterator[str]:
    weights, card = _weights(subject), subject.card
    before = _logits(subject)
    with treated(subject, treatment):
        inside = _logits(subject)
        if subject.card == card:
            yield "The subject's card does not say that it is under treatment."
    if torch.equal(inside, before):
        yield "It changes nothing at this dose."
    try:
        with treated(subject, treatment):
            raise _Broken
    except _Broken:
        pass
    if any(not torch.equal(old, new) for old, new in zip(weights, _weights(subject), strict=True)):
        yield "A weight is not bit for bit what it was."
    if not torch.equal(before, _logits(subject)) or subject.standing or subject.system:
        yield "The subject does not compute bit for bit what it did."
    if subject.card != card:
        yield "The subject's card is not what it was."


def _doses(treatment: Treatment, subject: LanguageSubject) -> Iterator[str]:
    before = _logits(subject)
    with treated(subject, treatment.at(0.0)):
        if not torch.equal(before, _logits(subject)):
            yield "Dose 0 changes something."
    if treatment.at(2.0).dose != 2.0 or treatment.at(2.0).kind != treatment.kind:
        yield "at(2) does not give the same treatment at dose 2."
    with treated(subject, treatment):
        said = [a.ids for a in generate(subject, _rows(subject), Decoding(max_new=4))]
        alone = [generate(subject, [row], Decoding(max_new=4))[0].ids for row in _rows(subject)]
    if said != alone:
        yield "An answer depends on what else is in its batch."


def _written(treatment: Treatment, subject: LanguageSubject) -> Iterator[str]:
    settings = json.loads(json.dumps(treatment.settings()))
    again = type(treatment).load(settings, treatment.tensors())
    if treatment_hash(again) != treatment_hash(treatment):
        yield "What is loaded again has another hash."
    with treated(subject, treatment):
        first = _logits(subject)
    with treated(subject, again):
        if not torch.equal(first, _logits(subject)):
            yield "What is loaded again computes something else."
    if not treatment.words().strip():
        yield "It does not say what it does."


def _rows(subject: LanguageSubject) -> list[list[int]]:
    return [subject.chat(prompt) for prompt in _PROMPTS]


def _logits(subject: LanguageSubject) -> torch.Tensor:
    return torch.cat([subject.logits(subject.batch([row]), keep=0)[0] for row in _rows(subject)])


def _weights(subject: LanguageSubject) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in subject.model.parameters()]
