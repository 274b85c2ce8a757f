"""The self-check passes on sound models and names what is broken in others."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from brainscan.scan.self_check import self_check
from brainscan.subject.language import Batch, LanguageSubject
from brainscan.subject.phantom import CONFIGS, phantom, tiny_model
from tests.cards import card


@pytest.mark.parametrize("model_type", sorted(CONFIGS))
def test_sound_models_pass(model_type: str) -> None:
    checks = self_check(phantom(model_type))
    assert len(checks) == 4
    assert all(check.passed for check in checks)


class _ForgetsPositions(LanguageSubject):
    """Left padding moves every token, as in a bridge that ignores the mask (TransformerLens #1609)."""

    def _arguments(self, module: Any, batch: Batch, attentions: bool) -> dict[str, Any]:
        given = super()._arguments(module, batch, attentions)
        width = batch.mask.shape[1]
        given["position_ids"] = torch.arange(width)[None, -batch.ids.shape[1] :].expand_as(batch.ids).clone()
        return given


class _LosesItsCache(LanguageSubject):
    """Generation forgets the prompt."""

    def step(self, batch: Batch, layout: Any, cache: Any, edits: Any) -> Any:
        if batch.ids.shape[1] == 1:
            batch = Batch(batch.ids, batch.mask[:, -1:], batch.positions, batch.lengths)
            cache = None
        return super().step(batch, layout, cache, edits)


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (_ForgetsPositions, "a padded batch equals single runs"),
        (_LosesItsCache, "generation with the cache equals without"),
    ],
)
def test_broken_models_fail_by_name(kind: type[LanguageSubject], named: str) -> None:
    # gpt2's learned positions make it sensitive to where a token stands.
    checks = self_check(kind(*tiny_model("gpt2"), card("gpt2")))
    assert named in {check.name for check in checks if not check.passed}


def test_weights_that_are_not_numbers_fail() -> None:
    broken = phantom("llama")
    with torch.no_grad():
        broken.body.layers[0].mlp.down_proj.weight[0, 0] = float("nan")  # type: ignore[index]
    assert not all(check.passed for check in self_check(broken))
