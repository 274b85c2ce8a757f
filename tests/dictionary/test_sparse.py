"""The sparse step against autograd of the plain dense one, and its promises about threads and skipped rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.core.errors import UsageError
from brainscan.dictionary import sparse
from brainscan.dictionary.dense import DenseLearner
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.pool import Pool
from brainscan.dictionary.sparse import SparseLearner, even_spans
from tests.dictionary.tasks import FEATURES, batch, task

SELECTING = ("topk", "batchtopk", "matryoshka", "transcoder", "skip_transcoder", "crosscoder")


@pytest.fixture(autouse=True)
def every_code_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    # Batch-wise kinds then select exactly as the dense engine does.
    monkeypatch.setattr(sparse, "SPREAD", FEATURES)


@pytest.mark.parametrize("patience", [10**9, 200])
@pytest.mark.parametrize("kind", SELECTING)
def test_a_step_is_that_of_autograd(kind: str, patience: int) -> None:
    """Patience 200: after the first batch some features are dead, and the aux loss takes part."""
    job = task(kind, patience)
    y = batch(job, 0)[1]
    quick, plain = SparseLearner(job, y, Pool(1)), DenseLearner(job, y)
    deaths = 0
    for i in range(4):
        a, b = (learner.step(*batch(job, i), 1e-3) for learner in (quick, plain))
        quick.settle()  # dense Adam moves every row at every step
        assert a.squared_error == pytest.approx(b.squared_error, rel=1e-4)
        assert (a.l0, a.dead) == (pytest.approx(b.l0), b.dead)
        deaths += a.dead
    assert deaths > 0 or patience > 200
    theirs = plain.dictionary().tensors()
    for name, ours in quick.dictionary().tensors().items():
        # Adam divides by the gradient's own size: where it is nearly 0, rounding decides a whole step.
        assert ((ours - theirs[name]).abs() > 2e-5).float().mean() < 1e-3, name


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    job = task("batchtopk", patience=200)
    learners = [SparseLearner(job, batch(job, 0)[1], Pool(threads)) for threads in (1, 3)]
    for i in range(3):
        reports = [learner.step(*batch(job, i, 700), 1e-2) for learner in learners]
        assert reports[0] == reports[1]
    first, second = (learner.state() for learner in learners)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_owed_movement_is_that_of_dense_adam() -> None:
    """A row that is visited once and then left alone ends where dense Adam takes it, at any gap."""
    job = task("topk", n_features=FEATURES, k=1, revival="none")
    y = batch(job, 0)[1]
    quick, plain = SparseLearner(job, y, Pool(1)), DenseLearner(job, y)
    rare = (torch.zeros(1, 16), torch.zeros(1, 16))  # one token: all rows but one are skipped
    for i in range(40):
        x, target = batch(job, 0) if i == 0 else rare
        for learner in (quick, plain):
            learner.step(x, target, 1e-3)
    a, b = quick.dictionary(), plain.dictionary()
    assert isinstance(a, Dictionary) and isinstance(b, Dictionary)
    start = SparseLearner(job, y, Pool(1)).dictionary()
    assert isinstance(start, Dictionary)
    moved = (b.W_enc - start.W_enc).abs().max()
    assert float((a.W_enc - b.W_enc).abs().max()) < 0.02 * float(moved)
    assert torch.allclose(a.W_dec, b.W_dec, atol=1e-4)


def test_decoder_rows_keep_norm_one() -> None:
    job = task("topk")
    learner = SparseLearner(job, batch(job, 0)[1], Pool(1))
    for i in range(5):
        learner.step(*batch(job, i), 1e-2)
    made = learner.dictionary()
    assert isinstance(made, Dictionary)
    assert torch.allclose(made.W_dec.norm(dim=1), torch.ones(FEATURES), atol=1e-5)


def test_the_dictionary_does_what_the_learner_did() -> None:
    job = task("topk")
    learner = SparseLearner(job, batch(job, 0)[1], Pool(1))
    for i in range(30):
        learner.step(*batch(job, i), 1e-3)
    made, (x, y) = learner.dictionary(), batch(job, 30)
    assert isinstance(made, Dictionary)
    error = float((made.forward(x) - y).square().sum())
    assert learner.step(x, y, 0.0).squared_error == pytest.approx(error * job.scale_out**2, rel=1e-4)


@pytest.mark.parametrize("engine", [SparseLearner, DenseLearner])
def test_dead_features_restart_at_badly_reconstructed_tokens(engine: type) -> None:
    job = task("topk", patience=600, revival="resample", k=2)
    y = batch(job, 0)[1]
    learner = engine(job, y, Pool(1)) if engine is SparseLearner else engine(job, y)
    dead = [learner.step(*batch(job, i), 1e-3).dead for i in range(12)]
    assert max(dead) > 0
    assert dead[-1] < max(dead)


def test_a_kind_without_selection_has_no_sparse_step() -> None:
    job = task("relu")
    with pytest.raises(UsageError, match="does not select"):
        SparseLearner(job, batch(job, 0)[1], Pool(1))


def test_spans_cover_every_feature_once() -> None:
    offsets = np.cumsum([0, 0, 100, 0, 3, 1, 1, 1, 0, 50, 0])
    spans = even_spans(offsets, 4)
    assert [f for a, b in spans for f in range(a, b)] == list(range(10))
