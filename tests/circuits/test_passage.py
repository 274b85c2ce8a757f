"""The short way back gives autograd's gradients, and steps aside where blocks are made otherwise."""

from __future__ import annotations

import pytest
import torch

from brainscan.circuits.basis import Features
from brainscan.circuits.freeze import EMBEDDING, Frozen, freeze
from brainscan.circuits.passage import passage
from brainscan.core.address import Site
from brainscan.subject.phantom import phantom
from tests.circuits.small import TEXT
from tests.circuits.test_basis import transcoders

SEQUENTIAL = ("llama", "gpt2", "gemma2", "qwen2", "qwen3", "olmo2", "bloom", "opt", "phi3")


def frozen(family: str = "llama") -> Frozen:
    subject = phantom(family)
    return freeze(subject, subject.tokens(TEXT))


@pytest.mark.parametrize("family", SEQUENTIAL)
def test_gradients_are_those_of_autograd(family: str) -> None:
    held = frozen(family)
    way = passage(held)
    assert way is not None
    top = held.subject.n_layers - 1
    layers, positions = [top, top, 1, 0], torch.tensor([held.n - 2, 1, held.n - 2, 0])
    vectors = torch.randn(4, held.subject.d_model, generator=torch.Generator().manual_seed(1))
    truth = held.adjoint([Site("mlp_in", layer) for layer in layers], positions, vectors)
    seen = []
    for leaf, gradient in way.walk(layers, positions, vectors):
        m, k = gradient.shape[:2]
        torch.testing.assert_close(gradient, truth[leaf][:k, :m].transpose(0, 1), atol=1e-5, rtol=1e-3)
        assert not truth[leaf][k:].any() and not truth[leaf][:, m:].any()  # nothing is left out
        seen.append(leaf)
    assert seen[-1] == EMBEDDING and set(seen) == set(truth)


@pytest.mark.parametrize("family", ["gptj", "falcon"])
def test_parallel_blocks_are_left_to_autograd(family: str) -> None:
    assert passage(frozen(family)) is None


def test_a_path_beside_the_mlps_is_left_to_autograd() -> None:
    subject, basis = phantom(), Features(transcoders(skip=True))
    assert passage(freeze(subject, subject.tokens(TEXT), basis.sites, straight=basis.straight)) is None
