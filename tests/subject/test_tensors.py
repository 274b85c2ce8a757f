"""The hash of tensors follows the numbers, not where they came from."""

from __future__ import annotations

import torch

from brainscan.subject.phantom import phantom
from brainscan.subject.tensors import tensors_sha256


def test_equal_numbers_give_one_hash_and_any_change_another() -> None:
    a, b = phantom("llama").model, phantom("llama").model
    assert tensors_sha256(a) == tensors_sha256(b)
    with torch.no_grad():
        next(iter(b.parameters())).view(-1)[0] += 1e-3
    assert tensors_sha256(a) != tensors_sha256(b)


def test_the_name_and_the_shape_count() -> None:
    hashes = {tensors_sha256(torch.nn.Linear(2, 3)), tensors_sha256(torch.nn.Linear(3, 2))}
    assert len(hashes) == 2


def test_half_precision_and_scalars_are_hashed() -> None:
    layer = torch.nn.BatchNorm1d(4).half()
    assert len(tensors_sha256(layer)) == 64
