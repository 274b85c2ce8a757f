"""Matching with known features and with another seed."""

from __future__ import annotations

import pytest
import torch

from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.recovery import recovery, seed_stability
from brainscan.dictionary.synthetic import Drawn, FeatureWorld, World

WORLD = FeatureWorld(World(n_features=12, d=12, rate=0.2))
TRUTH = torch.eye(12)


def drawn() -> Drawn:
    codes = WORLD.draw(600, 0).codes
    return Drawn(codes @ TRUTH, codes)


def reader(rows: torch.Tensor) -> Dictionary:
    F = len(rows)
    return Dictionary("relu", "relu", rows.t().clone(), rows.clone(), torch.zeros(F), torch.zeros(12))


def test_the_truth_in_any_order_is_found() -> None:
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    found = recovery(reader(TRUTH[order]), TRUTH, drawn())
    assert (found.max_cosine, found.f1, found.found) == (1, 1, 1)
    assert [int(order[j]) for j in found.matches] == list(range(12))


def test_missing_features_count_as_nothing() -> None:
    found = recovery(reader(TRUTH[:6]), TRUTH, drawn())
    assert found.f1 == pytest.approx(0.5)
    assert found.found == 0.5
    assert found.matches[6:] == (-1,) * 6


def test_one_feature_cannot_match_twice() -> None:
    found = recovery(reader(torch.cat([TRUTH[:1]] * 12)), TRUTH, drawn())
    assert found.found == pytest.approx(1 / 12)


def test_crumbs_are_counted_apart() -> None:
    made = reader(TRUTH)
    noisy = Dictionary("relu", "relu", made.W_enc, made.W_dec, torch.full((12,), 0.05), made.b_dec)
    found = recovery(noisy, TRUTH, drawn())
    assert found.f1 == 1
    assert found.f1_any < 0.5


def test_measurements_carry_words() -> None:
    said = recovery(reader(TRUTH), TRUTH, drawn()).measurements()
    assert {m.name for m in said} == {f"dictionary.recovery.{n}" for n in ("max_cosine", "f1", "f1_any", "found")}
    assert all(m.n == 12 for m in said)


def test_seeds_that_agree_and_seeds_that_do_not() -> None:
    other = torch.linalg.qr(torch.randn(12, 12, generator=torch.Generator().manual_seed(3)))[0]
    assert seed_stability(reader(TRUTH), reader(TRUTH.flip(0))).value == pytest.approx(1)
    assert seed_stability(reader(TRUTH), reader(other)).value < 0.8
