"""SAELens's own trainer on the activations of a .npy file. Runs in SAELens's environment; imports nothing of ours.

stdin: {"jobs": [job, ...], "threads": t or null}, a job being {"rows": path of [batches, n, d] float32,
        "kind": "topk", "n_features": F, "k": k, "steps": s, "warm": w, "lr": peak rate, "lr_warm_up_steps": a,
        "lr_decay_steps": b, "seed": 0, "widths": matryoshka's prefixes, "save": folder or null,
        "clock": a function of time}
stdout: {"seconds": [[one a timed step] a job], "version": ...}; trained SAEs are saved for inference into ``save``
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import sae_lens
import torch
from sae_lens import (
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
    JumpReLUTrainingSAE,
    JumpReLUTrainingSAEConfig,
    MatryoshkaBatchTopKTrainingSAE,
    MatryoshkaBatchTopKTrainingSAEConfig,
    TopKTrainingSAE,
    TopKTrainingSAEConfig,
)
from sae_lens.config import SAETrainerConfig
from sae_lens.training.sae_trainer import SAETrainer


def main() -> None:
    asked = json.load(sys.stdin)
    if asked.get("threads"):
        torch.set_num_threads(asked["threads"])
    print(json.dumps({"seconds": [train(job) for job in asked["jobs"]], "version": sae_lens.__version__}))


def train(asked: dict[str, Any]) -> list[float]:
    """Train one SAE; returns the seconds of each timed step."""
    rows = np.load(asked["rows"], mmap_mode="r")  # [batches, n, d]
    batches, n, d = rows.shape
    torch.manual_seed(asked.get("seed", 0))
    sae = made(asked, d)
    lr = asked.get("lr", 3e-4)
    settings = SAETrainerConfig(
        total_training_samples=(asked["warm"] + asked["steps"]) * n,
        train_batch_size_samples=n,
        lr=lr,
        lr_end=lr / 10,
        lr_warm_up_steps=asked.get("lr_warm_up_steps", 0),
        lr_decay_steps=asked.get("lr_decay_steps", 0),
    )
    trainer = SAETrainer(settings, sae, data_provider=iter(()))
    clock = getattr(time, asked.get("clock", "perf_counter"))
    seconds = []
    for i in range(asked["warm"] + asked["steps"]):
        batch = torch.from_numpy(np.array(rows[i % batches]))
        start = clock()
        trainer.maybe_reset_sparsity()
        trainer.step(batch)
        trainer.n_training_steps += 1
        if i >= asked["warm"]:
            seconds.append(clock() - start)
    if asked.get("save"):
        sae.save_inference_model(asked["save"])
    return seconds


def made(asked: dict[str, Any], d: int) -> Any:
    """A fresh SAE of the kind, at SAELens's defaults but for what was asked."""
    size = {"d_in": d, "d_sae": asked["n_features"]}
    kind, k = asked.get("kind", "topk"), asked["k"]
    if kind == "topk":
        return TopKTrainingSAE(TopKTrainingSAEConfig(**size, k=k))
    if kind == "batchtopk":
        return BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(**size, k=k))
    if kind == "matryoshka":
        return MatryoshkaBatchTopKTrainingSAE(
            MatryoshkaBatchTopKTrainingSAEConfig(**size, k=k, matryoshka_widths=asked["widths"])
        )
    # The quadratic loss is the one that can be given an L0 to reach, as ours is.
    return JumpReLUTrainingSAE(
        JumpReLUTrainingSAEConfig(**size, jumprelu_sparsity_loss_mode="quadratic", target_l0=float(k))
    )


main()
