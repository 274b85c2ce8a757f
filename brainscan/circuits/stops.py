"""Stop-gradients in every family at once: what softmax and norms compute is taped, held and not differentiated.

The functions are caught where torch calls them, so no architecture needs a row: a softmax is an attention pattern, a
reciprocal root is a normalisation scale. With them held, attention and norms are linear in the residual stream. The
tape can be played back while the rest of the model is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from brainscan.core.errors import SelfCheckFailed


@dataclass(eq=False)
class Tape:
    """What was held, in the order of the forward pass."""

    patterns: list[torch.Tensor] = field(default_factory=list)  # each [1, head, query, key]
    scales: list[torch.Tensor] = field(default_factory=list)
    scores: list[torch.Tensor] = field(default_factory=list)
    """What each softmax read, with its gradient graph; only where asked for."""


class Holding(TorchFunctionMode):
    """While open, softmax and norms are held: recorded on a tape, or played back from one.

    Args:
        tape: filled while recording, read while playing.
        play_patterns: attention patterns come from the tape.
        play_scales: normalisation scales come from the tape.
        keep_scores: also tape what each softmax reads.
        free_scales: normalisation scales are taped and stay differentiable.

    A batch may be played over a tape of one row.
    """

    def __init__(
        self,
        tape: Tape,
        *,
        play_patterns: bool = False,
        play_scales: bool = False,
        keep_scores: bool = False,
        free_scales: bool = False,
    ) -> None:
        super().__init__()
        self.tape, self.keep_scores, self.free_scales = tape, keep_scores, free_scales
        self._patterns = iter(tape.patterns) if play_patterns else None
        self._scales = iter(tape.scales) if play_scales else None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        rule = _RULES.get(func)
        return func(*args, **(kwargs or {})) if rule is None else rule(self, func, args, kwargs or {})

    def pattern(self, read: torch.Tensor, made: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The attention pattern: played, or made, taped and cut from its inputs."""
        if self._patterns is not None:
            return _spread(_next(self._patterns), read)
        if self.keep_scores:
            self.tape.scores.append(read)
        made_now = made().detach()
        self.tape.patterns.append(made_now)
        return made_now

    def scale(self, made: torch.Tensor) -> torch.Tensor:
        """The normalisation scale: played, or taped and cut from its inputs."""
        if self._scales is not None:
            return _spread(_next(self._scales), made)
        self.tape.scales.append(made.detach())
        return made if self.free_scales else made.detach()


def _softmax(mode: Holding, func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    return mode.pattern(args[0] if args else kwargs["input"], lambda: func(*args, **kwargs))


def _rsqrt(mode: Holding, func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    return mode.scale(func(*args, **kwargs))


def _layer_norm(mode: Holding, func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    x, shape, weight, bias, eps = _norm_arguments(args, kwargs, ("input", "normalized_shape", "weight", "bias", "eps"))
    axes = tuple(range(-len(shape), 0))
    centred = x - x.mean(axes, keepdim=True)
    scale = mode.scale(torch.rsqrt(centred.pow(2).mean(axes, keepdim=True) + (1e-5 if eps is None else eps)))
    return _affine(centred * scale, weight, bias)


def _rms_norm(mode: Holding, func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    x, shape, weight, eps = _norm_arguments(args, kwargs, ("input", "normalized_shape", "weight", "eps"))
    axes = tuple(range(-len(shape), 0))
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    return _affine(x * mode.scale(torch.rsqrt(x.pow(2).mean(axes, keepdim=True) + eps)), weight, None)


def _norm_arguments(args: Any, kwargs: Any, names: tuple[str, ...]) -> list[Any]:
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return [given.get(name) for name in names]


def _affine(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None) -> torch.Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _next(played: Any) -> torch.Tensor:
    found = next(played, None)
    if found is None:
        raise SelfCheckFailed(
            "The model took another path while its tape was played back.", "Report this with the model's config.json."
        )
    return found


def _spread(taped: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """One taped row for every row of a batch, in whatever layout of the batch the model has."""
    if taped.shape == like.shape:
        return taped
    # Batch and positions may share the first axis; a copy, because some models take a view of it.
    return taped.repeat(like.shape[0] // taped.shape[0], *[1] * (like.dim() - 1))


_RULES: dict[Any, Callable[[Holding, Any, Any, Any], torch.Tensor]] = {
    **dict.fromkeys((torch.softmax, torch.Tensor.softmax, functional.softmax), _softmax),
    **dict.fromkeys((torch.rsqrt, torch.Tensor.rsqrt), _rsqrt),
    **dict.fromkeys((functional.layer_norm, torch.layer_norm), _layer_norm),
    **dict.fromkeys((functional.rms_norm, torch.rms_norm), _rms_norm),
}
