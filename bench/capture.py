"""Capture speed at layer 15 of SmolLM2 against a hand-written hook that raises at that layer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from brainscan.activations.capture import capture
from brainscan.scan.texts.neutral import NEUTRAL_TEXTS
from brainscan.subject.load import load_subject

LAYER, ROUNDS = 15, 5


class _Stop(Exception):
    pass


def measure() -> Iterator[dict[str, Any]]:
    """Yield the ratio on equal-length rows (the same batches for both) and on real texts (ours batches by length)."""
    subject = load_subject("smollm2-135m-instruct")
    equal = [list(range(100 + i, 164 + i)) for i in range(24)]
    real = [subject.tokens(text) for text in NEUTRAL_TEXTS[:64]]
    for name, rows in (("equal rows", equal), ("real texts", real)):
        ours, hand = _paired(
            lambda rows=rows: capture(subject, rows, [f"resid_post.{LAYER}"]),
            lambda rows=rows: by_hand(subject, rows),
        )
        yield {
            "name": f"capture speed at layer {LAYER}, {name}",
            "value": round(hand / ours, 3),
            "unit": "x",
            "target": 0.95,
            "better": "higher",
            "peer": {
                "name": "hand-written forward hook that raises",
                "seconds": round(hand, 3),
                "ours": round(ours, 3),
            },
        }


def by_hand(subject: Any, rows: list[list[int]]) -> list[torch.Tensor]:
    """What a careful person writes: a hook on the block, an exception, batches of 32 as they come."""
    kept: list[torch.Tensor] = []

    def hook(module: Any, args: Any, output: Any) -> None:
        kept.append((output[0] if isinstance(output, tuple) else output).detach().clone())
        raise _Stop

    handle = subject.model.model.layers[LAYER].register_forward_hook(hook)
    try:
        for start in range(0, len(rows), 32):
            batch = subject.batch(rows[start : start + 32])
            with torch.no_grad():
                try:
                    subject.model.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
                except _Stop:
                    continue
    finally:
        handle.remove()
    return kept


def _paired(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float]:
    """Median seconds of both, alternating so that a noisy machine disturbs both alike."""
    times: tuple[list[float], list[float]] = ([], [])
    for round_ in range(ROUNDS + 1):
        for call, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            call()
            if round_:
                kept.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])
