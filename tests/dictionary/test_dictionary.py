"""The record: orientation, activations, folding, and sets of dictionaries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from brainscan.core.errors import UsageError
from brainscan.dictionary.dictionary import Codes, Dictionary, DictionarySet


def made(**how: Any) -> Dictionary:
    g = torch.Generator().manual_seed(0)
    fields: dict[str, Any] = {
        "kind": "relu", "activation": "relu", "W_enc": torch.randn(6, 10, generator=g),
        "W_dec": torch.randn(10, 6, generator=g), "b_enc": torch.randn(10, generator=g),
        "b_dec": torch.randn(6, generator=g), "reads": ("a",), "writes": ("a",),
    }  # fmt: skip
    return Dictionary(**{**fields, **how})


X = torch.randn(20, 6, generator=torch.Generator().manual_seed(1)) * 2 + 1


def gated() -> Dictionary:
    g = torch.Generator().manual_seed(2)
    r, b = torch.randn(10, generator=g) / 4, torch.randn(10, generator=g)
    return made(kind="gated", activation="gated", r_mag=r, b_gate=b)


VARIANTS = {
    "relu": made(),
    "topk": made(activation="topk", k=3),
    "jumprelu": made(activation="jumprelu", threshold=torch.rand(10) + 0.2),
    "gated": gated(),
}


def test_orientation_is_as_the_page_says() -> None:
    d = made()
    assert torch.allclose(d.encode(X), torch.relu(X @ d.W_enc + d.b_enc))
    assert torch.allclose(d.forward(X), d.encode(X) @ d.W_dec + d.b_dec)


def test_b_dec_is_taken_off_the_input_when_asked() -> None:
    d = made(apply_b_dec_to_input=True)
    assert torch.allclose(d.encode(X), torch.relu((X - d.b_dec) @ d.W_enc + d.b_enc))


def test_topk_keeps_at_most_k_and_the_largest() -> None:
    codes, plain = VARIANTS["topk"].encode(X), made().encode(X)
    assert int((codes > 0).sum(1).max()) <= 3
    assert torch.equal(codes.max(1).values, plain.max(1).values)


def test_jumprelu_keeps_values_above_the_threshold_unchanged() -> None:
    d = VARIANTS["jumprelu"]
    codes, pre = d.encode(X), d.pre_activations(X)
    assert torch.equal(codes, torch.where(pre > d.threshold, pre, torch.zeros(())))


def test_gated_is_jumprelu_with_folded_gates() -> None:
    """Rajamanoharan et al. 2404.16014, section 3.2: tied weights make the gate a threshold on the magnitude."""
    d = gated()
    assert d.r_mag is not None and d.b_gate is not None
    threshold = (d.b_enc - d.r_mag.exp() * d.b_gate).clamp(min=0)
    same = made(activation="jumprelu", W_enc=d.W_enc * d.r_mag.exp(), threshold=threshold)
    assert torch.allclose(d.encode(X), same.encode(X), atol=1e-5)


@pytest.mark.parametrize("name", VARIANTS)
def test_sparse_and_dense_codes_agree(name: str) -> None:
    d = VARIANTS[name]
    assert torch.allclose(d.encode_sparse(X).dense(), d.encode(X))
    assert torch.allclose(d.decode(d.encode_sparse(X), X), d.forward(X), atol=1e-5)


@pytest.mark.parametrize("shift", [False, True])
@pytest.mark.parametrize("name", VARIANTS)
def test_folding_the_scale_changes_nothing(name: str, shift: bool) -> None:
    d = replace(
        VARIANTS[name], normalisation="scale", scale_in=0.3, scale_out=0.7, apply_b_dec_to_input=shift,
        W_skip=torch.randn(6, 6),
    )  # fmt: skip
    folded = d.folded()
    assert folded.normalisation == "none"
    assert torch.allclose(folded.encode(X), d.encode(X), atol=1e-5)
    assert torch.allclose(folded.forward(X), d.forward(X), atol=1e-4)


@pytest.mark.parametrize("name", ["relu", "jumprelu", "gated"])
def test_a_unit_decoder_changes_no_output(name: str) -> None:
    d = VARIANTS[name].unit_decoder()
    assert torch.allclose(d.W_dec.norm(dim=1), torch.ones(10))
    assert torch.allclose(d.forward(X), VARIANTS[name].forward(X), atol=1e-4)


def test_layer_norm_is_undone_a_token_at_a_time() -> None:
    d = made(normalisation="layer_norm", W_enc=torch.zeros(6, 10), b_enc=torch.zeros(10), b_dec=torch.zeros(6))
    assert torch.allclose(d.forward(X), X.mean(1, keepdim=True).expand_as(X), atol=1e-5)
    with pytest.raises(UsageError, match="layer_norm"):
        d.decode(d.encode(X))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"W_dec": torch.zeros(6, 10)}, "W_dec"),
        ({"W_enc": torch.zeros(10, 6)}, "should be"),
        ({"activation": "topk"}, "needs k"),
        ({"threshold": torch.zeros(10, dtype=torch.bfloat16)}, "float32"),
        ({"W_dec": torch.zeros(10, 7), "b_dec": torch.zeros(7), "apply_b_dec_to_input": True}, "subtracted"),
    ],
)
def test_what_cannot_be_is_refused(how: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        made(**how)


def test_codes_of_a_silent_token() -> None:
    codes = Codes.of(torch.zeros(3, 5))
    assert codes.dense().abs().sum() == 0
    assert codes.l0.tolist() == [0, 0, 0]


def test_a_set_sums_what_its_parts_write() -> None:
    early = made(reads=("a",), writes=("a", "b"), W_dec=torch.randn(10, 12), b_dec=torch.randn(12))
    late = made(reads=("b",), writes=("b",))
    out = DictionarySet("cross_layer_transcoder", (early, late)).forward({"a": X, "b": X + 1})
    first = early.forward(X)
    assert torch.allclose(out["a"], first[:, :6])
    assert torch.allclose(out["b"], first[:, 6:] + late.forward(X + 1))
    with pytest.raises(UsageError, match="no activations of b"):
        DictionarySet("x", (late,)).forward({"a": X})
