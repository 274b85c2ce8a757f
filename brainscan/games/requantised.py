"""A control without training: the base with its block weights rounded to few bits and back.

A model that was only re-quantised hides nothing, yet every weight differs from the reference.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from brainscan.core.files import folder_atomic
from brainscan.subject.language import LanguageSubject
from brainscan.subject.weights import TOKENIZER_FILES

SCHEMES = ((8, 0), (5, 32))
"""(bits, weights that share a scale; 0 is a whole row) of the zoo's copies, by seed."""


def rounded(weight: torch.Tensor, bits: int, block: int) -> torch.Tensor:
    """The matrix [out, in] after rounding to signed integers of so many bits, one scale a row or block."""
    flat = weight.reshape(-1, block) if block else weight
    top = 2 ** (bits - 1) - 1
    scale = flat.abs().amax(-1, keepdim=True).clamp(min=1e-12) / top
    return ((flat / scale).round().clamp(-top, top) * scale).reshape(weight.shape)


def requantise(subject: LanguageSubject, bits: int, block: int, folder: Path) -> None:
    """Write the subject with every matrix of its blocks ``rounded``, as a model folder of its own."""
    blocks = subject.body.get_submodule(subject.family.layers)
    matrices = [p for p in blocks.parameters() if p.ndim == 2]
    before = [p.detach().clone() for p in matrices]
    try:
        with torch.no_grad():
            for p in matrices:
                p.copy_(rounded(p, bits, block))
        with folder_atomic(folder) as part:
            subject.model.save_pretrained(part, safe_serialization=True)
            _keep_tokenizer(subject, part)
    finally:
        with torch.no_grad():
            for p, kept in zip(matrices, before, strict=True):
                p.copy_(kept)


def _keep_tokenizer(subject: LanguageSubject, folder: Path) -> None:
    """The subject's files byte for byte, since written anew they are another tokenizer to every record."""
    home = subject.card.folder
    found = [path for name in TOKENIZER_FILES if home and (path := Path(home, name)).is_file()]
    if not found:  # a subject that was never on disk
        subject.tokenizer.save_pretrained(folder)
    for path in found:
        shutil.copyfile(path, folder / path.name)
