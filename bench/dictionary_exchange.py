"""Does SAELens compute the same with a dictionary that brainscan wrote, and the reverse? Largest difference of any number.

Every activation, every normalisation, transcoders with and without a straight path; weights are drawn, so
that nothing cancels. Differences are taken relative to the largest of the numbers compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.dictionary import row
from bench.peers import ask
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.formats.format import read_dictionary, write_dictionary

D, F, N = 32, 128, 256


def measure() -> Iterator[dict[str, Any]]:
    """Yield two rows: brainscan to SAELens, and SAELens to brainscan."""
    generator = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(N, D, generator=generator) + 1
    ours = dictionaries(generator)
    with tempfile.TemporaryDirectory() as folder:
        read, written = Path(folder) / "ours", Path(folder) / "theirs"
        np.save(Path(folder) / "x.npy", x.numpy())
        for name, made in ours.items():
            write_dictionary(made, read / name, "saelens")
        told = ask("saelens", "saelens_exchange.py", read=str(read), write=str(written), x=str(Path(folder) / "x.npy"))
        there = {name: apart(made, read / name, x) for name, made in ours.items()}
        back = {name: apart(read_dictionary(written / name), written / name, x) for name in told["written"]}
    peer = f"sae-lens {told['version']}"
    for title, found in (("SAELens loads what brainscan wrote", there), ("brainscan loads what SAELens wrote", back)):
        yield row(
            f"{title}: largest difference of encode and decode, {len(found)} layouts",
            max(found.values()),
            "relative",
            1e-5,
            {"name": peer, **{name: float(f"{value:.2e}") for name, value in found.items()}},
            better="lower",
        )


def dictionaries(generator: torch.Generator) -> dict[str, Dictionary]:
    """One of each kind that SAELens can hold."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    site, out = ("resid_post.3",), ("mlp_out.3",)
    plain = Dictionary(
        kind="relu", activation="relu", W_enc=0.2 * draw(D, F), W_dec=0.2 * draw(F, D), b_enc=0.1 * draw(F),
        b_dec=draw(D), apply_b_dec_to_input=True, reads=site, writes=site,
    )  # fmt: skip
    jump = replace(plain, kind="batchtopk", activation="jumprelu", threshold=draw(F).abs())
    gated = replace(plain, kind="gated", activation="gated", r_mag=0.1 * draw(F), b_gate=0.1 * draw(F))
    across = replace(plain, kind="transcoder", reads=("mlp_in.3",), writes=out, apply_b_dec_to_input=False)
    scaled: dict[str, Any] = {"normalisation": "scale", "scale_in": 0.7, "scale_out": 0.7}
    return {
        "relu": plain,
        "relu-scaled": replace(plain, **scaled),
        "relu-layer-norm": replace(plain, normalisation="layer_norm"),
        "relu-unit-norm": replace(plain, normalisation="unit_norm"),
        "topk": replace(plain, kind="topk", activation="topk", k=8),
        "topk-scaled": replace(plain, kind="topk", activation="topk", k=8, **scaled),
        "jumprelu": jump,
        "jumprelu-scaled": replace(jump, **scaled),
        "gated": gated,
        "gated-scaled": replace(gated, **scaled),
        "transcoder": across,
        "skip-transcoder": replace(across, kind="skip_transcoder", W_skip=0.1 * draw(D, D)),
        "jumprelu-transcoder-scaled": replace(
            across, activation="jumprelu", threshold=draw(F).abs(), normalisation="scale", scale_in=0.7, scale_out=0.4
        ),
    }


def apart(made: Any, folder: Path, x: torch.Tensor) -> float:
    """Largest difference between our numbers and those in the folder, over the largest of them."""
    codes, back = made.encode(x), made.forward(x)
    theirs = [torch.from_numpy(np.load(folder / name)) for name in ("codes.npy", "back.npy")]
    pairs = zip((codes, back), theirs, strict=True)
    return max(float((a - b).abs().max() / b.abs().max().clamp(min=1e-12)) for a, b in pairs)
