"""Put a subject under treatment, and take it off again: afterwards it is bit for bit the same.

with treated(subject, treatment):
    generate(subject, ...)      # and every other way of running it
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import torch

from brainscan.core.errors import UsageError
from brainscan.core.provenance import sha256_of_bytes
from brainscan.subject.language import LanguageSubject
from brainscan.treatment.protocol import Tensors, Treatment


@contextlib.contextmanager
def treated(subject: LanguageSubject, *treatments: Treatment) -> Iterator[LanguageSubject]:
    """While open, ``subject`` itself is treated, whoever runs it; its card says so.

    Args:
        treatments: put on in the order given, each on top of the ones before; blocks may be nested.

    Raises:
        UsageError: a treatment was made for a subject of another shape.
    """
    with contextlib.ExitStack() as stack:
        for treatment in treatments:
            changes = treatment.changes(subject)
            stack.enter_context(replaced(subject, changes.weights))
            stack.enter_context(subject.under(changes.edits, changes.system))
            stack.enter_context(_card(subject, treatment))
        yield subject


def treatment_hash(treatment: Treatment) -> str:
    """SHA-256 over kind, settings and arrays: equal treatments have equal hashes."""
    head = json.dumps([treatment.kind, treatment.settings()], sort_keys=True).encode()
    parts = [
        name.encode() + tensor.detach().cpu().float().contiguous().numpy().tobytes()
        for name, tensor in sorted(treatment.tensors().items())
    ]
    return sha256_of_bytes(b"".join([head, *parts]))


@contextlib.contextmanager
def replaced(subject: LanguageSubject, weights: Tensors) -> Iterator[None]:
    """While open, parameters have other values.

    Raises:
        UsageError: a parameter is missing or of another shape; nothing was changed.
    """
    held = dict(subject.model.named_parameters())
    for name, new in weights.items():
        if name not in held or held[name].shape != new.shape:
            raise UsageError(
                f"The treatment changes {name} to shape {list(new.shape)}, which {subject.card.name} does not have.",
                "Use it on the model that it was made for.",
            )
    before = {name: held[name].detach().clone() for name in weights}
    try:
        with torch.no_grad():
            for name, new in weights.items():
                held[name].copy_(new)
        yield
    finally:
        with torch.no_grad():
            for name, old in before.items():
                held[name].copy_(old)


@contextlib.contextmanager
def _card(subject: LanguageSubject, treatment: Treatment) -> Iterator[None]:
    before = subject.card
    mark = treatment_hash(treatment)
    subject.card = before.model_copy(
        update={
            "name": f"{before.name} under {treatment.kind}",
            "weights_sha256": sha256_of_bytes(f"{before.weights_sha256}+{mark}".encode()),
            "folder": None,
            "files": {},
            "notes": (*before.notes, f"Under treatment: {treatment.words()} (hash {mark[:12]})."),
        }
    )
    try:
        yield
    finally:
        subject.card = before
