"""What SAELens itself computes with SAEs on disk, ours and its own. Runs in SAELens's environment.

stdin: {"read": folder of folders written by brainscan, "write": folder to fill with SAELens's own, "x": .npy [n, d]}
For every folder of either it leaves ``codes.npy`` [n, F] and ``back.npy`` [n, d_out] beside ``cfg.json``.
stdout: {"read": names, "written": names, "version": ...}
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import sae_lens
import torch
from sae_lens import (
    SAE,
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
    GatedSAE,
    GatedSAEConfig,
    JumpReLUSAE,
    JumpReLUSAEConfig,
    JumpReLUTranscoder,
    JumpReLUTranscoderConfig,
    SkipTranscoder,
    SkipTranscoderConfig,
    StandardSAE,
    StandardSAEConfig,
    TopKSAE,
    TopKSAEConfig,
    Transcoder,
    TranscoderConfig,
)


def main() -> None:
    asked = json.load(sys.stdin)
    x = torch.from_numpy(np.load(asked["x"]))
    read = sorted(Path(asked["read"]).iterdir())
    for folder in read:
        answer(folder, x)
    written = own(Path(asked["write"]), x.shape[1])
    for folder in written:
        answer(folder, x)
    names = {"read": [p.name for p in read], "written": [p.name for p in written]}
    print(json.dumps({**names, "version": sae_lens.__version__}))


@torch.no_grad()
def answer(folder: Path, x: torch.Tensor) -> None:
    """Encode and decode as SAELens does after loading from disk."""
    sae = SAE.load_from_disk(folder)
    codes = sae.encode(x)
    back = sae.forward(x) if "skip" in sae.cfg.architecture() else sae.decode(codes)
    np.save(folder / "codes.npy", codes.numpy())
    np.save(folder / "back.npy", back.numpy())


def own(folder: Path, d: int) -> list[Path]:
    """SAEs of SAELens's own with weights drawn at random, saved as it saves them."""
    size: dict[str, Any] = {"d_in": d, "d_sae": 4 * d}
    saes: dict[str, Any] = {
        "standard": StandardSAE(StandardSAEConfig(**size)),
        "standard-layer-norm": StandardSAE(StandardSAEConfig(**size, normalize_activations="layer_norm")),
        "standard-no-shift": StandardSAE(StandardSAEConfig(**size, apply_b_dec_to_input=False)),
        "topk": TopKSAE(TopKSAEConfig(**size, k=8)),
        "topk-rescaled": TopKSAE(TopKSAEConfig(**size, k=8, rescale_acts_by_decoder_norm=True)),
        "jumprelu": JumpReLUSAE(JumpReLUSAEConfig(**size)),
        "gated": GatedSAE(GatedSAEConfig(**size)),
        "batchtopk": BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(**size, k=8)),
        "transcoder": Transcoder(TranscoderConfig(**size, d_out=d, apply_b_dec_to_input=False)),
        "skip-transcoder": SkipTranscoder(SkipTranscoderConfig(**size, d_out=d, apply_b_dec_to_input=False)),
        "jumprelu-transcoder": JumpReLUTranscoder(
            JumpReLUTranscoderConfig(**size, d_out=d, apply_b_dec_to_input=False)
        ),
    }
    torch.manual_seed(0)
    for name, sae in saes.items():
        with torch.no_grad():
            for part, tensor in sae.named_parameters():
                tensor.copy_(torch.randn(tensor.shape) * (0.05 if part.startswith("W") else 0.1))
                if part == "threshold":
                    tensor.abs_()
            if name == "batchtopk":
                sae.topk_threshold.fill_(0.2)
        save = getattr(sae, "save_inference_model", sae.save_model)  # training SAEs are saved for inference
        save(folder / name)
    return [folder / name for name in saes]


main()
