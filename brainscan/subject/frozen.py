"""Run a subject from the middle: the blocks below are frozen, so what they compute is kept and reused.

Training an adapter in the upper half then pays for the lower half once a row instead of once a step.
It works for every family of the table, because it only touches blocks: those below hand on what they
are given, and the first block above is given the kept stream.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from brainscan.core.address import Site
from brainscan.subject.language import LanguageSubject

_ROWS = 16


@dataclass(frozen=True)
class FrozenBelow:
    """What enters block ``layer`` for each of the rows that it was made for."""

    layer: int
    streams: tuple[torch.Tensor, ...]
    """[tokens, d_model] a row."""
    as_tuple: bool
    """Whether blocks of this family and version hand on a tuple instead of the bare stream."""


def freeze_below(subject: LanguageSubject, rows: Sequence[Sequence[int]], layer: int) -> FrozenBelow:
    """Run the blocks below ``layer`` once over rows of token ids and keep what comes out."""
    kept: list[torch.Tensor] = [torch.empty(0)] * len(rows)
    tuples: set[bool] = set()
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    watch = _blocks(subject)[0].register_forward_hook(lambda module, args, out: tuples.add(isinstance(out, tuple)))
    try:
        for start in range(0, len(order), _ROWS):
            chunk = order[start : start + _ROWS]

            def keep(site: Site, x: torch.Tensor, chunk: list[int] = chunk) -> None:
                for place, i in enumerate(chunk):
                    kept[i] = x[place, : len(rows[i])].clone()

            subject.inspect(subject.batch([rows[i] for i in chunk]), {Site("resid_pre", layer): keep})
    finally:
        watch.remove()
    return FrozenBelow(layer, tuple(kept), True in tuples)


@contextlib.contextmanager
def resumed(subject: LanguageSubject, frozen: FrozenBelow, given: torch.Tensor) -> Iterator[None]:
    """While open, a forward pass starts at block ``frozen.layer`` with the streams [batch, pos, d_model] given."""
    blocks = _blocks(subject)

    def enter(module: torch.nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return ((given, *args[1:]), named) if args else (args, {**named, "hidden_states": given})

    def hand_on(hidden_states: torch.Tensor, *args: Any, **named: Any) -> Any:
        return (hidden_states, None) if frozen.as_tuple else hidden_states

    handle = blocks[frozen.layer].register_forward_pre_hook(enter, with_kwargs=True)
    try:
        for block in blocks[: frozen.layer]:
            block.forward = hand_on
        yield
    finally:
        handle.remove()
        for block in blocks[: frozen.layer]:
            vars(block).pop("forward", None)


def _blocks(subject: LanguageSubject) -> Any:
    return subject.body.get_submodule(subject.family.layers)
