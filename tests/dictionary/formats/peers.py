"""What each peer documents its files to mean, written down again from its formulas, in plain torch, and folders of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

D, F, K, N = 12, 40, 6, 64
Run = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""x [n, d] -> (codes [n, f], output [n, d])."""


def inputs(seed: int = 0) -> torch.Tensor:
    """Rows that are neither centred nor of one norm, so that every shift and scale shows."""
    g = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(N, D, generator=g) + torch.linspace(-2, 4, D)


def weights(seed: int, **shapes: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Random tensors; decoder rows of different norms, biases away from 0."""
    g = torch.Generator().manual_seed(seed)
    return {name: 0.5 * torch.randn(shape, generator=g) + 0.1 for name, shape in shapes.items()}


def top_k(pre: torch.Tensor, k: int) -> torch.Tensor:
    """Keep the k largest of each row, after a relu."""
    values, where = pre.topk(k, dim=-1)
    return torch.zeros_like(pre).scatter_(-1, where, values.relu())


def saelens(folder: Path, architecture: str, normalise: str = "none", **extra: Any) -> Run:
    """A folder of SAELens 6 and what ``encode`` and ``forward`` of it give."""
    w = weights(1, W_enc=(D, F), W_dec=(F, D), b_dec=(D,))
    if architecture == "gated":
        w |= weights(2, b_gate=(F,), b_mag=(F,), r_mag=(F,))
    else:
        w |= weights(2, b_enc=(F,))
    if "jumprelu" in architecture:
        w["threshold"] = weights(3, t=(F,))["t"].abs()
    if "skip" in architecture:
        w |= weights(4, W_skip=(D, D))
    subtracts = "transcoder" not in architecture
    config = {
        "architecture": architecture,
        "d_in": D,
        "d_sae": F,
        "apply_b_dec_to_input": subtracts,
        "normalize_activations": normalise,
        "metadata": {"hook_name": "blocks.3.hook_resid_post", "hook_name_out": "blocks.3.hook_mlp_out"},
        **extra,
    }
    folder.mkdir(parents=True)
    save_file(w, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps(config))
    norms = w["W_dec"].norm(dim=-1) if extra.get("rescale_acts_by_decoder_norm") else torch.ones(F)

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        shift, scale = torch.zeros(len(x), 1), torch.ones(len(x), 1)
        if normalise == "constant_norm_rescale":
            scale = D**0.5 / x.norm(dim=-1, keepdim=True)
        if normalise == "layer_norm":
            shift = x.mean(-1, keepdim=True)
            scale = 1 / ((x - shift).std(-1, keepdim=True) + 1e-5)
        inside = (x - shift) * scale
        read = inside - w["b_dec"] if subtracts else inside
        if architecture == "gated":
            on = (read @ w["W_enc"] + w["b_gate"] > 0).float()
            codes = on * (read @ (w["W_enc"] * w["r_mag"].exp()) + w["b_mag"]).relu()
        else:
            pre = (read @ w["W_enc"] + w["b_enc"]) * norms
            codes = pre.relu()
            if architecture == "topk":
                codes = top_k(pre, extra["k"])
            if "jumprelu" in architecture:
                codes = codes * (pre > w["threshold"])
        out = (codes / norms) @ w["W_dec"] + w["b_dec"]
        if "skip" in architecture:
            out = out + inside @ w["W_skip"].T
        return codes, out / scale + shift

    return run


def learned(folder: Path, named: str, *, config: bool = True) -> Run:
    """A folder of dictionary_learning and what ``encode`` and ``decode`` of that class give."""
    linear = weights(5, **{"encoder.weight": (F, D), "decoder.weight": (D, F)})
    square = weights(5, W_enc=(D, F), W_dec=(F, D), b_enc=(F,), b_dec=(D,))
    t: dict[str, torch.Tensor]
    scalars = {"k": torch.tensor(K), "threshold": torch.tensor(0.7)}
    if named == "AutoEncoder":
        t = linear | weights(6, bias=(D,), **{"encoder.bias": (F,)})
    elif named == "AutoEncoderNew":
        t = linear | weights(6, **{"encoder.bias": (F,), "decoder.bias": (D,)})
    elif named == "GatedAutoEncoder":
        t = linear | weights(6, decoder_bias=(D,), r_mag=(F,), gate_bias=(F,), mag_bias=(F,))
    elif named == "JumpReluAutoEncoder":
        t = square | {"threshold": weights(7, t=(F,))["t"].abs()}
    elif named == "MatryoshkaBatchTopKSAE":
        t = square | scalars | {"group_sizes": torch.tensor([10, 30])}
    else:  # AutoEncoderTopK, BatchTopKSAE
        t = linear | weights(6, b_dec=(D,), **{"encoder.bias": (F,)}) | scalars
    folder.mkdir(parents=True)
    torch.save(t, folder / "ae.pt")
    if config:
        about = {"trainer": {"dict_class": named, "layer": 8, "lm_name": "EleutherAI/pythia-70m-deduped"}}
        (folder / "config.json").write_text(json.dumps(about))
    return lambda x: _learned_run(named, t, x)


def _learned_run(named: str, t: dict[str, torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    if named in ("AutoEncoder", "AutoEncoderTopK", "BatchTopKSAE", "AutoEncoderNew"):
        bias = t["bias"] if named == "AutoEncoder" else t.get("b_dec", t.get("decoder.bias"))
        read = x if named == "AutoEncoderNew" else x - bias
        codes = (read @ t["encoder.weight"].T + t["encoder.bias"]).relu()
        codes = top_k(codes, K) if named == "AutoEncoderTopK" else codes
        codes = codes * (codes > t["threshold"]) if named == "BatchTopKSAE" else codes
        return codes, codes @ t["decoder.weight"].T + bias
    if named == "GatedAutoEncoder":
        pre, norm = (x - t["decoder_bias"]) @ t["encoder.weight"].T, t["decoder.weight"].norm(dim=0)
        codes = (pre + t["gate_bias"] > 0) * (t["r_mag"].exp() * pre + t["mag_bias"]).relu() * norm
        return codes, (codes / norm) @ t["decoder.weight"].T + t["decoder_bias"]
    if named == "JumpReluAutoEncoder":
        pre, norm = x @ t["W_enc"] + t["b_enc"], t["W_dec"].norm(dim=1)
        codes = (pre * (pre > t["threshold"])).relu() * norm
        return codes, (codes / norm) @ t["W_dec"] + t["b_dec"]
    codes = ((x - t["b_dec"]) @ t["W_enc"] + t["b_enc"]).relu()
    codes = codes * (codes > t["threshold"])
    return codes, codes @ t["W_dec"] + t["b_dec"]


def sparsify(folder: Path, *, transcode: bool, skip: bool) -> Run:
    """A sparsify folder and its encode and forward."""
    w = weights(8, W_dec=(F, D), b_dec=(D,), **{"encoder.weight": (F, D), "encoder.bias": (F,)})
    w |= weights(9, W_skip=(D, D)) if skip else {}
    folder.mkdir(parents=True)
    save_file(w, folder / "sae.safetensors")
    config = {
        "activation": "topk",
        "k": K,
        "d_in": D,
        "num_latents": F,
        "transcode": transcode,
        "skip_connection": skip,
    }
    (folder / "cfg.json").write_text(json.dumps(config))

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        read = x if transcode else x - w["b_dec"]
        codes = top_k((read @ w["encoder.weight"].T + w["encoder.bias"]).relu(), K)
        return codes, codes @ w["W_dec"] + w["b_dec"] + (x @ w["W_skip"].mT if skip else 0)

    return run


def plt_layer(folder: Path, i: int, *, activation: str, skip: bool) -> Run:
    """One layer of a circuit-tracer PLT and its encode and forward."""
    w = weights(20 + i, W_enc=(F, D), W_dec=(F, D), b_enc=(F,), b_dec=(D,))
    if activation == "jumprelu":
        w["activation_function.threshold"] = weights(30 + i, t=(F,))["t"].abs()
    w |= weights(40 + i, W_skip=(D, D)) if skip else {}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(w, folder / f"layer_{i}.safetensors")

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pre = torch.nn.functional.linear(x, w["W_enc"], w["b_enc"])
        codes = pre.relu() if activation == "relu" else top_k(pre, K)
        if activation == "jumprelu":
            codes = pre * (pre > w["activation_function.threshold"])
        return codes, codes @ w["W_dec"] + w["b_dec"] + (x @ w["W_skip"].T if skip else 0)

    return run


def clt(folder: Path, n: int, *, threshold: bool, skip: bool) -> Callable[[torch.Tensor], Any]:
    """A circuit-tracer CLT over n layers; x [n, tokens, d] -> (codes [n, tokens, f], outputs [n, tokens, d])."""
    folder.mkdir(parents=True)
    enc: list[dict[str, torch.Tensor]] = []
    dec: list[torch.Tensor] = []
    for i in range(n):
        w = weights(50 + i, W_enc=(F, D), b_enc=(F,), b_dec=(D,))
        w |= {"threshold": weights(60 + i, t=(F,))["t"].abs()} if threshold else {}
        w |= weights(70 + i, W_skip=(D, D)) if skip else {}
        enc.append(w)
        dec.append(weights(80 + i, w=(F, n - i, D))["w"])
        save_file({f"{name}_{i}": x for name, x in w.items()}, folder / f"W_enc_{i}.safetensors")
        save_file({f"W_dec_{i}": dec[i]}, folder / f"W_dec_{i}.safetensors")

    def run(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out = torch.stack([enc[i]["b_dec"].expand(x.shape[1], D) for i in range(n)]).clone()
        codes = []
        for i in range(n):
            pre = torch.einsum("bd,fd->bf", x[i], enc[i]["W_enc"]) + enc[i]["b_enc"]
            codes.append(pre * (pre > enc[i]["threshold"]) if threshold else pre.relu())
            for j in range(n - i):
                out[i + j] += codes[i] @ dec[i][:, j]
            if skip:
                out[i] += x[i] @ enc[i]["W_skip"]
        return torch.stack(codes), out

    return run
