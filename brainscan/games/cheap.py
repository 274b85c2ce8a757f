"""Cheaper controls: models that are clean by construction and cost no training.

Nineteen fine-tunes are cheap at 135M and dear at 70B. Whether these may stand in for them is measured in
bench/trial_cheap.py: a control is admissible only if calibrating with it keeps the false-alarm promise on real fine-tunes.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save

from brainscan.core.files import folder_atomic, write_atomic
from brainscan.subject.lora import WEIGHTS_FILE

CONFIG_FILE = "adapter_config.json"


def random_adapter(like: Path, folder: Path, seed: int) -> None:
    """Write an adapter of random directions whose every update has the norm of a trained adapter's.

    Args:
        like: the trained adapter: its shapes, its scale, and the Frobenius norm of each of its updates B A.
    """
    trained = load_file(Path(like) / WEIGHTS_FILE)
    draw = torch.Generator().manual_seed(seed)
    made: dict[str, torch.Tensor] = {}
    for name, a in trained.items():
        if "lora_A" not in name:
            continue
        other = name.replace("lora_A", "lora_B")
        b = trained[other]
        new_a, new_b = (torch.randn(t.shape, generator=draw) for t in (a, b))
        wanted, found = (float((y.float() @ x.float()).norm()) for x, y in ((a, b), (new_a, new_b)))
        scale = (wanted / max(found, 1e-12)) ** 0.5
        made |= {name: (scale * new_a).half(), other: (scale * new_b).half()}
    with folder_atomic(folder) as part:
        write_atomic(part / CONFIG_FILE, (Path(like) / CONFIG_FILE).read_bytes())
        write_atomic(part / WEIGHTS_FILE, save(made, metadata={"format": "pt"}))
