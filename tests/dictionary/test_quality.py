"""The judge: the traps that others fell into are tests here."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.core.errors import InputError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.quality import decoder_cosine, explained_variance, measure


def rows(seed: int = 0, n: int = 500, d: int = 8, offset: float = 3.0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) + offset


@given(offset=st.floats(-100, 100), scale=st.floats(1e-3, 1e3))
@settings(max_examples=30, deadline=None)
def test_the_mean_explains_nothing_whatever_the_scale(offset: float, scale: float) -> None:
    y = rows(offset=offset) * scale
    assert explained_variance(y, y.mean(0).expand_as(y)) == pytest.approx(0, abs=1e-4)


def test_explained_variance_knows_perfect_scaled_and_worse() -> None:
    y, guess = rows(), rows() + 0.5 * rows(1, offset=0)
    assert explained_variance(y, y) == 1
    assert explained_variance(10 * y, 10 * guess) == pytest.approx(explained_variance(y, guess), abs=1e-6)
    assert explained_variance(y, guess) == pytest.approx(0.75, abs=0.03)
    assert explained_variance(y, torch.zeros_like(y)) < 0


def half() -> Dictionary:
    """Feature 0 reads dimension 0, feature 1 dimension 1 at half strength, feature 2 nothing."""
    return Dictionary(
        kind="relu", activation="relu", W_enc=torch.tensor([[1.0, 0, 0], [0, 1, 0]]),
        W_dec=torch.tensor([[1.0, 0], [0, 0.5], [0, 1]]), b_enc=torch.zeros(3), b_dec=torch.zeros(2),
        reads=("a",), writes=("a",),
    )  # fmt: skip


X = torch.tensor([[1.0, 0], [2, 0], [0, 2], [0, 0]])


def test_every_measure_is_what_it_says() -> None:
    value = {m.name.removeprefix("dictionary."): m.value for m in measure(half(), [(X, X)])}
    spread = float((X - X.mean(0)).square().sum())
    assert value["explained_variance"] == pytest.approx(1 - 1 / spread)
    assert value["mse"] == pytest.approx(1 / 4)
    assert value["l0"] == pytest.approx(3 / 4)
    assert value["l1"] == pytest.approx(5 / 4)
    assert value["l2_ratio"] == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert value["relative_reconstruction_bias"] == pytest.approx((1 + 4 + 1) / (1 + 4 + 2))
    assert value["dead"] == pytest.approx(1 / 3)
    assert value["dense"] == pytest.approx(2 / 3)
    assert value["decoder_cosine"] == pytest.approx((0 + 1 + 1) / 3)


def test_attention_sinks_are_set_aside_and_counted() -> None:
    sink = torch.cat([X, 1000 * X[:1]])
    with_sink, without = ({m.name: m.value for m in measure(half(), [(x, x)])} for x in (sink, X))
    assert with_sink.pop("dictionary.outliers") == pytest.approx(1 / 5)
    assert without.pop("dictionary.outliers") == 0
    assert with_sink == without


def test_batches_change_nothing() -> None:
    whole = measure(half(), [(X, X)])
    parts = measure(half(), [(X[:1], X[:1]), (X[1:], X[1:])])
    for a, b in zip(whole, parts, strict=True):
        assert a.value == pytest.approx(b.value, abs=1e-9), a.name


def test_every_measure_has_words_and_a_range() -> None:
    for m in measure(half(), [(X, X)]):
        assert m.meaning.endswith(".") and any(c.isdigit() for c in m.meaning), m.name


def test_nothing_to_judge_on() -> None:
    with pytest.raises(InputError, match="no activations"):
        measure(half(), [])


def test_a_lone_feature_has_no_double() -> None:
    assert decoder_cosine(torch.ones(1, 3)) == 0
