"""The card of a subject: who it is, with the hash of every file that makes it what it is."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Any

from brainscan.core.provenance import SubjectCard
from brainscan.subject.device import DeviceChoice
from brainscan.subject.find import HashedFiles
from brainscan.subject.hashes import joint_hash
from brainscan.subject.source import Source


def write_card(
    source: Source, files: HashedFiles, model: Any, tokenizer: Any, choice: DeviceChoice, **told: Any
) -> SubjectCard:
    """Describe an opened subject.

    Args:
        source: what the user wrote.
        files: hashed; ``SubjectCard.files`` names them relative to ``SubjectCard.folder``, which is the
            model's folder, or with an adapter the closest folder that holds both.
        model: the transformers model, for its config and size.
        tokenizer: for its chat template.
        choice: device and number format.
        told: ``notes`` and ``remote_code`` of the card.
    """
    config = model.config.get_text_config()
    everything = {**files.config, **files.weights, **files.tokenizer, **files.adapter}
    folder = Path(os.path.commonpath([path.parent for path in everything]))
    own = {path.name: sha256 for path, sha256 in files.weights.items()}
    added = {f"adapter/{path.name}": sha256 for path, sha256 in files.adapter.items()}
    return SubjectCard(
        id=source.spec,
        name=source.name,
        family=str(config.model_type),
        n_layers=int(config.num_hidden_layers),
        d_model=int(config.hidden_size),
        n_heads=int(config.num_attention_heads),
        d_mlp=_d_mlp(config),
        vocab_size=int(config.vocab_size),
        n_parameters=sum(weight.numel() for weight in model.parameters()),
        dtype=str(choice.dtype).removeprefix("torch."),
        device=choice.name,
        device_reason=choice.reason,
        has_chat_template=bool(tokenizer.chat_template),
        weights_sha256=joint_hash({**own, **added}),
        tokenizer_sha256=joint_hash({path.name: sha256 for path, sha256 in files.tokenizer.items()}),
        files={path.relative_to(folder).as_posix(): sha256 for path, sha256 in everything.items()},
        folder=str(folder),
        **told,
    )


def _d_mlp(config: Any) -> int:
    """Width of the MLP: families disagree on the field's name, and some leave it at 4 x d_model."""
    for field in ("intermediate_size", "ffn_dim", "ffn_hidden_size", "n_inner"):
        if width := getattr(config, field, None):
            return int(width)
    return 4 * int(config.hidden_size)
