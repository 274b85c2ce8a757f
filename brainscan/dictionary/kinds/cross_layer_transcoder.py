"""Cross-layer transcoder: features that read one layer and write that layer and all after it.

Source: Ameisen et al., "Circuit Tracing" (Transformer Circuits, 2025), "Building an interpretable
replacement model"; with BatchTopK over all layers in place of JumpReLU and tanh.

Features are laid out layer by layer: of F features over L layers, layer i owns [i * F/L, (i+1) * F/L).
Structural zeros (an encoder's other layers, a decoder's earlier ones) are masked in every loss, so they
receive no gradient.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from brainscan.core.errors import UsageError
from brainscan.dictionary.autoencoder import (
    aux_loss,
    first_parameters,
    keep_batch_top,
    made,
    squared_error,
    unit_rows,
)
from brainscan.dictionary.dictionary import DictionarySet
from brainscan.dictionary.protocol import Loss, Parameters, Running, Shape
from brainscan.dictionary.settings import Settings


class CrossLayerTranscoder:
    """k is the mean number of active features a token at each layer."""

    name = "cross_layer_transcoder"
    selection = None
    centre = False

    def begin(self, shape: Shape, settings: Settings, y: torch.Tensor, generator: torch.Generator) -> Parameters:
        """First parameters, masked to the structure.

        Raises:
            UsageError: as many sites must be written as read, and the features divide evenly among them.
        """
        layers = len(shape.reads)
        if len(shape.writes) != layers or settings.n_features % layers:
            raise UsageError(
                f"A cross-layer transcoder of {settings.n_features} features cannot read {layers} sites and write "
                f"{len(shape.writes)}.",
                "Write one site for each that is read, in the order of depth, and give each the same number of features.",
            )
        p = first_parameters(shape, settings, y, generator)
        reads, writes = _structure(shape, settings.n_features)
        return {
            **p,
            "W_enc": unit_rows((p["W_enc"] * reads).t()).t().contiguous(),
            "W_dec": unit_rows(p["W_dec"] * writes),
        }

    def loss(self, p: Parameters, x: torch.Tensor, y: torch.Tensor, settings: Settings, running: Running) -> Loss:
        """Squared error summed over the written layers, and the aux loss."""
        reads, writes = _structure(running.shape, settings.n_features)
        W_dec = p["W_dec"] * writes.to(x.device)
        pre = x @ (p["W_enc"] * reads.to(x.device)) + p["b_enc"]
        codes = keep_batch_top(pre, settings.k * len(running.shape.reads))
        written = codes @ W_dec + p["b_dec"]
        aux = aux_loss({**p, "W_dec": W_dec}, pre, y - written, settings, running)
        return Loss(squared_error(written, y) + aux, written, codes)

    def finish(self, p: Parameters, settings: Settings, running: Running) -> DictionarySet:
        """One JumpReLU dictionary a layer; part i writes sites i and after, and holds the bias of site i."""
        whole = made(p, settings, running, activation="relu")
        shape = running.shape
        layers, width = len(shape.reads), settings.n_features // len(shape.reads)
        d_in, d_out = shape.d_in // layers, shape.d_out // layers
        parts = []
        for i in range(layers):
            mine, later = slice(i * width, (i + 1) * width), slice(i * d_out, None)
            bias = torch.zeros_like(whole.b_dec[later])
            bias[:d_out] = whole.b_dec[i * d_out : (i + 1) * d_out]
            part = replace(
                whole,
                activation="jumprelu",
                W_enc=whole.W_enc[i * d_in : (i + 1) * d_in, mine].clone(),
                W_dec=whole.W_dec[mine, later].clone(),
                b_enc=whole.b_enc[mine].clone(),
                b_dec=bias,
                threshold=torch.full_like(whole.b_enc[mine], running.threshold),
                reads=(shape.reads[i],),
                writes=shape.writes[i:],
            )
            parts.append(part)
        return DictionarySet(self.name, tuple(parts), whole.about)


def _structure(shape: Shape, n_features: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks of W_enc [d_in, F] (own layer only) and W_dec [F, d_out] (own layer and later)."""
    layers = len(shape.reads)
    owner = torch.arange(n_features) // (n_features // layers)  # [F]
    reads = torch.arange(shape.d_in) // (shape.d_in // layers)  # [d_in]
    writes = torch.arange(shape.d_out) // (shape.d_out // layers)  # [d_out]
    return (reads[:, None] == owner).float(), (owner[:, None] <= writes).float()
