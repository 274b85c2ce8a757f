"""A phantom wrapped as a subject, without going through the disk."""

from __future__ import annotations

from typing import Any

from brainscan.core.provenance import SubjectCard
from brainscan.subject.language import LanguageSubject
from tests.phantoms import tiny_model


def card(name: str = "phantom", **fields: Any) -> SubjectCard:
    """A card with every field filled."""
    given: dict[str, Any] = {
        "id": name,
        "name": name,
        "family": "llama",
        "n_layers": 4,
        "d_model": 32,
        "n_heads": 4,
        "d_mlp": 64,
        "vocab_size": 128,
        "n_parameters": 1,
        "dtype": "float32",
        "device": "cpu",
        "device_reason": "tests",
        "has_chat_template": True,
        "weights_sha256": "0" * 64,
        "tokenizer_sha256": "0" * 64,
        "files": {},
    }
    return SubjectCard(**{**given, **fields})


def phantom(model_type: str = "llama", **options: Any) -> LanguageSubject:
    """A tiny random subject of that architecture."""
    model, tokenizer = tiny_model(model_type, **options)
    return LanguageSubject(model, tokenizer, card(model_type))
