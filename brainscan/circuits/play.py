"""Play a prompt again with parts of the model changed, and with as much of the rest held as asked.

``patterns`` holds attention patterns, ``scales`` normalisation scales as well. ``mlps`` holds patterns and what every
MLP wrote, so that only direct effects of a change arrive. ``all`` holds all three: then the model is the frozen one.
``nothing`` is the model itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from typing import Literal

import torch

from brainscan.circuits.freeze import EMBEDDING, Frozen, attached
from brainscan.circuits.stops import Holding
from brainscan.circuits.taps import after, before
from brainscan.core.address import Site
from brainscan.subject.gradient import differentiable_logits

Hold = Literal["nothing", "patterns", "scales", "mlps", "all"]
EMBEDDED = -1
"""The key of a change of the embedding."""
ROWS_TOKENS = 2048
"""Tokens of one batch."""


def play(
    frozen: Frozen, changes: Mapping[int, torch.Tensor], sites: Sequence[Site], hold: Hold
) -> dict[Site, torch.Tensor]:
    """Activations [rows, pos, ...] at sites, each row of ``changes`` a run of its own.

    Args:
        changes: layer -> what is added to ``mlp_out`` [rows, pos, d]; the same number of rows everywhere. Layer -1 adds
            to what enters block 0.
    """
    rows = next(iter(changes.values())).shape[0]
    size = max(1, ROWS_TOKENS // frozen.n)
    parts: dict[Site, list[torch.Tensor]] = {site: [] for site in sites}
    for start in range(0, rows, size):
        some = {layer: change[start : start + size] for layer, change in changes.items()}
        for site, x in _play(frozen, some, sites, hold).items():
            parts[site].append(x)
    return {site: torch.cat(found) for site, found in parts.items()}


def _play(
    frozen: Frozen, changes: Mapping[int, torch.Tensor], sites: Sequence[Site], hold: Hold
) -> dict[Site, torch.Tensor]:
    subject = frozen.subject
    rows = next(iter(changes.values())).shape[0]
    batch = subject.batch([list(frozen.ids)] * rows)
    tensors: dict[Site, torch.Tensor] = {}
    held = hold in ("mlps", "all")
    with ExitStack() as stack, torch.no_grad():
        if EMBEDDED in changes:
            stack.callback(before(subject.port(EMBEDDING), lambda x: x + changes[EMBEDDED]).remove)
        for layer in range(subject.n_layers) if held else sorted(set(changes) - {EMBEDDED}):

            def change(x: torch.Tensor, layer: int = layer) -> torch.Tensor:
                x = x.reshape(rows, frozen.n, -1)
                x = frozen.outputs[layer].expand_as(x) if held else x
                return x + changes[layer] if layer in changes else x.clone()

            stack.callback(after(subject.port(Site("mlp_out", layer)), change).remove)
        playing = Holding(frozen.tape, play_patterns=True, play_scales=hold in ("scales", "all"))
        with attached(subject, batch, tensors, set(sites)), nullcontext() if hold == "nothing" else playing:
            differentiable_logits(subject, batch, keep=1)
    return {site: x.clone() for site, x in tensors.items()}
