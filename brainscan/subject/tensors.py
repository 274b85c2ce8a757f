"""A hash of the tensors that a loaded model computes with, whatever files they came from."""

from __future__ import annotations

import hashlib

import torch


def tensors_sha256(model: torch.nn.Module) -> str:
    """The same for two models that hold the same numbers under the same names.

    ``SubjectCard.weights_sha256`` says which files were opened; a copy with another header or another name has another one.

    Args:
        model: on any device; takes about a second a gigabyte.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
