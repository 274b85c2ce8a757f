"""Subject cards for records that need one."""

from __future__ import annotations

from typing import Any

from brainscan.core.provenance import SubjectCard


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
