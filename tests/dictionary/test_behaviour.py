"""Standing in for a site of a phantom subject; and the SAEBench JSON made of it."""

from __future__ import annotations

import json

import pytest
import torch

from brainscan.core.errors import InputError, UsageError
from brainscan.dictionary.behaviour import preservation
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.quality import measure
from brainscan.dictionary.saebench import UNMEASURED, core_result
from brainscan.subject.phantom import D_MODEL, phantom
from tests.house.pretend import Pretended, on_cuda

ROWS = [[7, 20, 31, 44, 5], [60, 61, 62], [9, 8, 7, 6, 5, 4, 3], [50]]


def exact(writes: str = "resid_post.1", shrink: float = 1.0, reads: str = "resid_post.1") -> Dictionary:
    """x = relu(x) - relu(-x), written as a dictionary of 2 d features."""
    eye = torch.eye(D_MODEL)
    return Dictionary(
        "relu", "relu", torch.cat([eye, -eye], 1), shrink * torch.cat([eye, -eye]), torch.zeros(2 * D_MODEL),
        torch.zeros(D_MODEL), reads=(reads,), writes=(writes,),
    )  # fmt: skip


def test_a_perfect_dictionary_changes_nothing() -> None:
    kept = preservation(phantom(), exact(), ROWS)
    assert kept.n == 4 + 2 + 6
    assert kept.ce_replaced == pytest.approx(kept.ce, abs=1e-5)
    assert kept.kl_replaced == pytest.approx(0, abs=1e-6)
    assert kept.kl_recovered == pytest.approx(1)
    assert kept.kl_ablated > 0.01


def test_the_heads_of_a_layer_lie_side_by_side() -> None:
    kept = preservation(phantom(), exact(writes="head_out.1", reads="head_out.1"), ROWS)
    assert kept.kl_replaced == pytest.approx(0, abs=1e-6) and kept.kl_ablated > 0
    assert preservation(phantom(), exact(writes="head_out.1"), ROWS).kl_replaced > 0


def test_the_dictionary_comes_to_the_subjects_device() -> None:
    subject, plain = phantom(), preservation(phantom(), exact(shrink=0.5), ROWS)
    on_cuda(subject.model)
    with Pretended():
        assert preservation(subject, exact(shrink=0.5), ROWS).ce_replaced == pytest.approx(plain.ce_replaced)


def test_an_empty_dictionary_is_zero_ablation() -> None:
    kept = preservation(phantom(), exact(shrink=0.0), ROWS)
    assert kept.ce_replaced == pytest.approx(kept.ce_ablated)
    assert kept.ce_recovered == pytest.approx(0, abs=1e-6)
    assert kept.kl_recovered == pytest.approx(0, abs=1e-6)


def test_batches_and_padding_change_nothing() -> None:
    subject, dictionary = phantom(), exact(shrink=0.5)
    a, b = (preservation(subject, dictionary, ROWS, per_batch=n) for n in (1, 8))
    assert a.kl_replaced == pytest.approx(b.kl_replaced, rel=1e-4)
    assert a.ce_replaced == pytest.approx(b.ce_replaced, rel=1e-5)


def test_skipped_positions_stay_untouched() -> None:
    subject = phantom()
    assert preservation(subject, exact(shrink=0.0), [[7, 20]], skip=5).kl_replaced == pytest.approx(0, abs=1e-7)


def test_refusals() -> None:
    with pytest.raises(InputError, match="two tokens"):
        preservation(phantom(), exact(), [[5]])
    many = Dictionary("crosscoder", "relu", torch.zeros(4, 2), torch.zeros(2, 4), torch.zeros(2), torch.zeros(4), reads=("a", "b"), writes=("a", "b"))  # fmt: skip
    with pytest.raises(UsageError, match="reads one site"):
        preservation(phantom(), many, ROWS)


def test_the_saebench_json_has_its_categories_and_only_numbers() -> None:
    x = torch.randn(50, D_MODEL, generator=torch.Generator().manual_seed(0))
    dictionary = exact(shrink=0.9)
    kept = preservation(phantom(), dictionary, ROWS)
    out = json.loads(
        json.dumps(core_result(dictionary, measure(dictionary, [(x, x)]), kept, name="a", model="phantom"))
    )
    metrics = out["eval_result_metrics"]
    assert metrics["model_performance_preservation"]["ce_loss_score"] == pytest.approx(kept.ce_recovered)
    assert metrics["reconstruction_quality"]["explained_variance"] == pytest.approx(0.99, abs=1e-3)
    assert metrics["shrinkage"]["l2_ratio"] == pytest.approx(0.9, abs=1e-3)
    assert metrics["misc_metrics"]["frac_alive"] == 1
    assert out["sae_cfg_dict"]["d_sae"] == 2 * D_MODEL
    assert all(isinstance(v, float | int) for of in metrics.values() for v in of.values())


def test_what_was_not_measured_says_so() -> None:
    out = core_result(exact(), [], name="a", model="m")["eval_result_metrics"]
    assert set(out["model_behavior_preservation"].values()) == {UNMEASURED}
    assert out["sparsity"]["l0"] == UNMEASURED
