"""The sparse arithmetic against the dense, on every shape that could trip it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.dictionary import kernels
from brainscan.dictionary.sparse import cut_batch


def dense(codes: kernels.SparseCodes, width: int) -> np.ndarray:
    out = np.zeros((codes.active.size, width), np.float32)
    for t, used in enumerate(codes.active):
        out[t, codes.feature[t, :used]] = codes.value[t, :used]
    return out


def best(pre: np.ndarray, k: int) -> np.ndarray:
    out = np.zeros_like(pre)
    for t, row in enumerate(pre):
        keep = np.argsort(-row, kind="stable")[:k]
        out[t, keep] = np.maximum(row[keep], 0)
    return out


@given(
    width=st.sampled_from([1, 2, 31, 33, 64, 100, 1000, 5000]),
    k=st.sampled_from([1, 2, 5, 40]),
    levels=st.sampled_from([0, 1, 3, 1000]),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_selection_is_exact_with_ties_to_the_lower_index(width: int, k: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pre = rng.integers(-levels, levels + 1, (4, width)).astype(np.float32)
    bias = rng.integers(-1, 2, width).astype(np.float32)
    codes = kernels.empty_codes(4, k)
    kernels.select_top(pre, bias, k, codes)
    assert np.array_equal(dense(codes, width), best(pre + bias, k))
    for t, used in enumerate(codes.active):
        assert (np.diff(codes.feature[t, :used]) > 0).all()
        assert not codes.value[t, used:].any()


def test_selection_forgets_what_was_there_before() -> None:
    codes = kernels.empty_codes(2, 3)
    kernels.select_top(np.ones((2, 50), np.float32), np.zeros(50, np.float32), 3, codes)
    kernels.select_top(-np.ones((2, 50), np.float32), np.zeros(50, np.float32), 3, codes)
    assert not codes.active.any() and not codes.value.any()


@pytest.mark.parametrize("keep", [0, 1, 7, 100])
def test_a_batch_keeps_its_largest(keep: int) -> None:
    rng = np.random.default_rng(0)
    pre = rng.normal(size=(5, 40)).astype(np.float32)
    codes = kernels.empty_codes(5, 8)
    kernels.select_top(pre, np.zeros(40, np.float32), 8, codes)
    before = dense(codes, 40)
    cut_batch(codes, max(keep, 1))
    after = dense(codes, 40)
    assert (after > 0).sum() == min(max(keep, 1), (before > 0).sum())
    assert np.array_equal(np.sort(after[after > 0])[::-1], np.sort(before[before > 0])[::-1][: (after > 0).sum()])


def test_nested_errors_are_those_of_every_prefix() -> None:
    rng = np.random.default_rng(1)
    n, width, d, widths = 6, 30, 7, np.array([4, 11, 30])
    decoder, target = rng.normal(size=(width, d)).astype(np.float32), rng.normal(size=(n, d)).astype(np.float32)
    codes = kernels.empty_codes(n, 9)
    kernels.select_top(rng.normal(size=(n, width)).astype(np.float32), np.zeros(width, np.float32), 9, codes)
    error, slope = np.empty((3, n, d), np.float32), np.zeros((n, 9), np.float32)
    kernels.reconstruct(codes, widths, decoder, target, error)
    kernels.slopes(codes, widths, decoder, error, slope)
    full = dense(codes, width)
    plain = [full[:, :w] @ decoder[:w] - target for w in widths]
    for g in range(3):
        assert np.allclose(error[g], sum(plain[g:]), atol=1e-5)
    for t in range(n):
        for j in range(codes.active[t]):
            f = codes.feature[t, j]
            assert np.isclose(slope[t, j], error[np.searchsorted(widths, f, side="right"), t] @ decoder[f], atol=1e-4)


def test_pairs_stand_by_feature_in_the_order_of_tokens() -> None:
    feature = np.array([3, 1, 3, 0, 1, 3], np.int32)
    offsets, order = kernels.sort_pairs(feature, 5)
    assert offsets.tolist() == [0, 1, 3, 3, 6, 6]
    assert order.tolist() == [3, 1, 4, 0, 2, 5]


def test_rescoring_gives_exact_products_of_the_proposals_alone() -> None:
    rng = np.random.default_rng(2)
    encoder, x = rng.normal(size=(20, 5)).astype(np.float32), rng.normal(size=(7, 5)).astype(np.float32)
    bias, codes = rng.normal(size=20).astype(np.float32), kernels.empty_codes(7, 6)
    kernels.select_top(rng.normal(size=(7, 20)).astype(np.float32), np.zeros(20, np.float32), 6, codes)
    codes.active[2] = 1
    score = np.empty((7, 6), np.float32)
    kernels.rescore(codes, encoder, bias, x, score)
    exact = x @ encoder.T + bias
    for t in range(7):
        used = codes.active[t]
        assert np.allclose(score[t, :used], exact[t, codes.feature[t, :used]], atol=1e-5)
        assert (score[t, used:] == -1).all()
