"""The frozen model is the model, and it is linear: what flows in adds up, in every family of the table."""

from __future__ import annotations

import pytest
import torch

from brainscan.circuits import stops
from brainscan.circuits.attribute import trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.freeze import freeze
from brainscan.circuits.graph import Settings
from brainscan.core.address import Site
from brainscan.core.errors import SelfCheckFailed
from brainscan.subject.phantom import FAMILIES, phantom
from tests.circuits.small import TEXT, without_biases


@pytest.mark.parametrize("family", FAMILIES)
def test_attributions_add_up_to_every_target(family: str) -> None:
    subject = without_biases(family)
    found = trace(subject, subject.tokens(TEXT), Neurons(), Settings(nodes=30))
    k = len(found.picked)
    values = [found.frozen.values(t.site, torch.tensor([t.position]), t.vector[None]) for t in found.outcome.targets]
    sums = found.rows.sum(1)
    torch.testing.assert_close(sums[:k], found.candidates.activation[found.picked], atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(sums[k:], torch.cat(values), atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_frozen_run_is_the_plain_run(family: str) -> None:
    subject = phantom(family)
    ids = subject.tokens(TEXT)
    plain = subject.logits(subject.batch([ids]))[0, -1]
    torch.testing.assert_close(freeze(subject, ids).logits, plain, atol=1e-4, rtol=1e-4)


def test_freezing_leaves_no_trace_on_the_model() -> None:
    subject = phantom("gpt2")
    ids = subject.tokens(TEXT)
    before = subject.logits(subject.batch([ids]))
    freeze(subject, ids)
    assert torch.equal(subject.logits(subject.batch([ids])), before)
    assert not any(weight.requires_grad for weight in subject.model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in subject.model.modules())


def test_a_norm_that_is_not_held_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (torch.rsqrt, torch.Tensor.rsqrt):
        monkeypatch.delitem(stops._RULES, function)
    subject = phantom("llama")
    with pytest.raises(SelfCheckFailed, match="does not add up"):
        freeze(subject, subject.tokens(TEXT))


@pytest.mark.parametrize("family", ["llama", "phi3"])
def test_a_tangent_is_the_slope_of_the_neuron(family: str) -> None:
    subject = phantom(family)
    frozen = freeze(subject, subject.tokens(TEXT), rule="tangent")
    layer, at, neuron = 1, torch.tensor([4]), torch.tensor([7])
    x = frozen.tensors[Site("mlp_in", layer)][0, 4].detach()
    step = 1e-3 * torch.nn.functional.normalize(torch.arange(1.0, 33.0), dim=0)
    mlp = subject.port(Site("mlp_in", layer)).module
    seen: list[torch.Tensor] = []
    handle = subject.port(Site("mlp_act", layer)).module.register_forward_pre_hook(lambda m, a: seen.append(a[0]))
    with torch.no_grad():
        mlp(torch.stack([x - step, x + step]))
    handle.remove()
    slope = (seen[0][1, 7] - seen[0][0, 7]) / 2
    torch.testing.assert_close(frozen.encoders(layer, at, neuron)[0] @ step, slope, atol=1e-5, rtol=1e-2)
