"""What most kinds share, in plain torch: first weights, reading, writing, losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from brainscan.dictionary.dictionary import Activation, Dictionary
from brainscan.dictionary.protocol import Parameters, Running, Shape
from brainscan.dictionary.settings import Settings

MAX_MEDIAN_ROWS = 4096


def first_parameters(shape: Shape, settings: Settings, y: torch.Tensor, generator: torch.Generator) -> Parameters:
    """W_dec of random rows of norm 1, W_enc its transpose, b_enc 0, b_dec the geometric median of ``y``.

    Where reading and writing differ the encoder starts at random columns of norm 1.
    Source: Gao et al. (arXiv 2406.04093), appendix A.1.
    """
    W_dec = unit_rows(torch.randn(settings.n_features, shape.d_out, generator=generator))
    W_enc = W_dec.t().contiguous()
    if shape.reads != shape.writes:
        W_enc = unit_rows(torch.randn(settings.n_features, shape.d_in, generator=generator)).t().contiguous()
    return {"W_enc": W_enc, "W_dec": W_dec, "b_enc": torch.zeros(settings.n_features), "b_dec": geometric_median(y)}


def unit_rows(matrix: torch.Tensor) -> torch.Tensor:
    """Rows divided by their norms."""
    return matrix / matrix.norm(dim=1, keepdim=True).clamp(min=1e-6)


def geometric_median(y: torch.Tensor, rounds: int = 20) -> torch.Tensor:
    """The point [d] with the least summed distance to rows [n, d] (Weiszfeld); at most 4096 rows are looked at."""
    rows = y[:MAX_MEDIAN_ROWS].float()
    middle = rows.mean(0)
    for _ in range(rounds):
        weight = 1 / (rows - middle).norm(dim=1).clamp(min=1e-6)
        middle = (weight[:, None] * rows).sum(0) / weight.sum()
    return middle


def pre_activations(p: Parameters, x: torch.Tensor, centre: bool) -> torch.Tensor:
    """(x - b_dec if ``centre`` else x) @ W_enc + b_enc [n, n_features]."""
    return (x - p["b_dec"] if centre else x) @ p["W_enc"] + p["b_enc"]


def keep_token_top(pre: torch.Tensor, k: int) -> torch.Tensor:
    """Codes [n, F]: the k largest of max(pre, 0) of each token."""
    values, indices = torch.relu(pre).topk(min(k, pre.shape[1]), dim=1)
    return torch.zeros_like(pre).scatter(1, indices, values)


def keep_batch_top(pre: torch.Tensor, k: int) -> torch.Tensor:
    """Codes [n, F]: the n * k largest of max(pre, 0) of the whole batch. Source: Bussmann et al. (arXiv 2412.06410)."""
    flat = torch.relu(pre).flatten()
    values, indices = flat.topk(min(pre.shape[0] * k, flat.numel()))
    return torch.zeros_like(flat).scatter(0, indices, values).view_as(pre)


def squared_error(written: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean over tokens of the squared error summed over dimensions."""
    return (written - y).square().sum(1).mean()


def nested_error(codes: torch.Tensor, p: Parameters, y: torch.Tensor, widths: Sequence[int]) -> torch.Tensor:
    """Mean over nested prefixes of the squared error that the prefix alone leaves."""
    parts = [squared_error(codes[:, :w] @ p["W_dec"][:w] + p["b_dec"], y) for w in widths]
    return torch.stack(parts).mean()


def aux_loss(p: Parameters, pre: torch.Tensor, residual: torch.Tensor, settings: Settings, running: Running) -> Any:
    """Dead features learn the residual y - written (taken as given): 0 when none is dead.

    The ``aux_k`` largest dead pre-activations of each token are decoded without bias. The weight falls
    when fewer features are dead than ``aux_k`` (SAELens). Source: Gao et al. (arXiv 2406.04093), appendix A.2.
    """
    dead = torch.nonzero(running.dead).flatten()
    if settings.revival != "aux" or not len(dead):
        return 0.0
    rows = aux_rows(pre.shape[0], settings)
    k = aux_k(p["W_dec"].shape[1])
    codes = keep_token_top(pre[:rows, dead], k)
    error = squared_error(codes @ p["W_dec"][dead], residual[:rows].detach())
    return settings.aux_coefficient * min(1.0, len(dead) / k) * error


def aux_k(d_out: int) -> int:
    """Dead features that try at once: half the width of what is written (Gao et al., appendix A.2; SAELens)."""
    return max(1, d_out // 2)


def aux_rows(n: int, settings: Settings) -> int:
    """Tokens of a batch of n, counted from its first, that the aux loss looks at."""
    return max(1, int(n * settings.aux_share))


def made(p: Parameters, settings: Settings, running: Running, **how: Any) -> Dictionary:
    """The dictionary of the four usual parameters, copied; ``how`` adds or overrides fields."""
    activation: Activation = how.pop("activation")
    return Dictionary(
        kind=settings.kind,
        activation=activation,
        **{name: p[name].detach().clone() for name in ("W_enc", "W_dec", "b_enc", "b_dec")},
        normalisation="scale",
        scale_in=running.scale_in,
        scale_out=running.scale_out,
        reads=running.shape.reads,
        writes=running.shape.writes,
        about={"settings": settings.model_dump(mode="json")},
        **how,
    )
