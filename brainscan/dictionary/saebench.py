"""SAEBench's result JSON of the core evaluation, so that our numbers stand in others' tables.

Layout: ``sae_bench/evals/base_eval_output.py`` and ``evals/core/eval_output.py`` of SAEBench 0.6. What was
not measured is -1 there, and here too. ``explained_variance_legacy`` stays -1: it is another quantity.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any

from brainscan.core.evidence import Measurement
from brainscan.core.provenance import brainscan_version
from brainscan.dictionary.behaviour import Preservation
from brainscan.dictionary.dictionary import Dictionary

UNMEASURED = -1.0


def core_result(
    dictionary: Dictionary,
    measured: Iterable[Measurement],
    kept: Preservation | None = None,
    *,
    name: str,
    model: str,
) -> dict[str, Any]:
    """The JSON value of a core evaluation.

    Args:
        measured: from ``quality.measure``.
        kept: from ``behaviour.preservation``; None leaves those categories unmeasured.
        name: how the dictionary is called there (sae_lens_id).
        model: name of the subject.
    """
    value = {m.name.removeprefix("dictionary."): m.value for m in measured}
    return {
        "eval_type_id": "core",
        "eval_config": {"model_name": model},
        "eval_id": str(uuid.uuid4()),
        "datetime_epoch_millis": int(time.time() * 1000),
        "eval_result_metrics": {**_preserved(kept), **_metrics(value)},
        "eval_result_details": [],
        "sae_bench_commit_hash": f"brainscan {brainscan_version()}",
        "sae_lens_id": name,
        "sae_lens_release_id": "brainscan",
        "sae_lens_version": f"brainscan {brainscan_version()}",
        "sae_cfg_dict": _config(dictionary, model),
    }


def _preserved(kept: Preservation | None) -> dict[str, dict[str, float]]:
    fields = {
        "kl_div_score": "kl_recovered",
        "kl_div_with_ablation": "kl_ablated",
        "kl_div_with_sae": "kl_replaced",
        "ce_loss_score": "ce_recovered",
        "ce_loss_with_ablation": "ce_ablated",
        "ce_loss_with_sae": "ce_replaced",
        "ce_loss_without_sae": "ce",
    }
    found = {theirs: UNMEASURED if kept is None else float(getattr(kept, ours)) for theirs, ours in fields.items()}
    behaviour = {theirs: v for theirs, v in found.items() if theirs.startswith("kl")}
    performance = {theirs: v for theirs, v in found.items() if theirs.startswith("ce")}
    return {"model_behavior_preservation": behaviour, "model_performance_preservation": performance}


def _metrics(value: dict[str, float]) -> dict[str, dict[str, float]]:
    names = {
        "reconstruction_quality": {"explained_variance": "explained_variance", "mse": "mse", "cossim": "cosine"},
        "shrinkage": {"l2_ratio": "l2_ratio", "relative_reconstruction_bias": "relative_reconstruction_bias"},
        "sparsity": {"l0": "l0", "l1": "l1"},
        "misc_metrics": {
            "freq_over_1_percent": "freq_over_1_percent",
            "freq_over_10_percent": "dense",
            "average_max_decoder_cosine_sim": "decoder_cosine",
        },
    }
    found = {c: {theirs: value.get(ours, UNMEASURED) for theirs, ours in of.items()} for c, of in names.items()}
    found["reconstruction_quality"]["explained_variance_legacy"] = UNMEASURED
    found["misc_metrics"]["frac_alive"] = 1 - value["dead"] if "dead" in value else UNMEASURED
    return found


def _config(dictionary: Dictionary, model: str) -> dict[str, Any]:
    return {
        "architecture": dictionary.activation,
        "d_in": dictionary.d_in,
        "d_sae": dictionary.n_features,
        "dtype": "float32",
        "model_name": model,
        "hook_name": ", ".join(dictionary.reads),
        "k": dictionary.k,
        "kind": dictionary.kind,
    }
