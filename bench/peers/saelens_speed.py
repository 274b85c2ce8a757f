"""SAELens's own trainer on the activations of a .npy file. Runs in SAELens's environment; imports nothing of ours.

stdin: {"rows": path of [batches, n, d] float32, "n_features": F, "k": k, "steps": s, "warm": w, "held": path or null}
stdout: {"seconds": [one a timed step], "explained_variance": on ``held`` rows or null, "version": ...}
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import sae_lens
import torch
from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
from sae_lens.config import SAETrainerConfig
from sae_lens.training.sae_trainer import SAETrainer


def main() -> None:
    asked = json.load(sys.stdin)
    rows = np.load(asked["rows"], mmap_mode="r")  # [batches, n, d]
    batches, n, d = rows.shape
    torch.manual_seed(asked.get("seed", 0))
    # expected_average_only_in is left to the caller, who scales the rows once for both.
    sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=d, d_sae=asked["n_features"], k=asked["k"]))
    total = (asked["warm"] + asked["steps"]) * n
    settings = SAETrainerConfig(
        total_training_samples=total,
        train_batch_size_samples=n,
        lr=asked.get("lr", 3e-4),
        lr_end=asked.get("lr", 3e-4) / 10,
        lr_warm_up_steps=asked.get("lr_warm_up_steps", 0),
        lr_decay_steps=asked.get("lr_decay_steps", 0),
    )
    trainer = SAETrainer(settings, sae, data_provider=iter(()))
    seconds = []
    for i in range(asked["warm"] + asked["steps"]):
        batch = torch.from_numpy(np.array(rows[i % batches]))
        start = time.perf_counter()
        trainer.maybe_reset_sparsity()
        trainer.step(batch)
        trainer.n_training_steps += 1
        if i >= asked["warm"]:
            seconds.append(time.perf_counter() - start)
    answer = {
        "seconds": seconds,
        "explained_variance": held_out(sae, asked.get("held")),
        "version": sae_lens.__version__,
    }
    print(json.dumps(answer))


@torch.no_grad()
def held_out(sae: TopKTrainingSAE, path: str | None) -> float | None:
    """1 - squared error / squared deviation from the mean, on rows [m, d]."""
    if path is None:
        return None
    rows = torch.from_numpy(np.load(path))
    error = sum(float((sae(part) - part).double().square().sum()) for part in rows.split(2048))
    return 1 - error / float((rows - rows.mean(0)).double().square().sum())


main()
