"""Kinds that keep the largest codes: one loss, one step, told apart by four facts.

The sparse engine (``sparse``) computes the same loss and its exact gradient without dense products;
``tests/dictionary/test_sparse.py`` holds the two against each other.
"""

from __future__ import annotations

from typing import Any

import torch

from brainscan.dictionary.autoencoder import (
    aux_loss,
    first_parameters,
    keep_batch_top,
    keep_token_top,
    made,
    nested_error,
    pre_activations,
)
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.protocol import Loss, Parameters, Running, Selection, Shape
from brainscan.dictionary.settings import Settings


class SelectingKind:
    """Base of the kinds whose loss is squared error alone, since a selection makes the codes sparse."""

    name: str
    selection: Selection | None
    centre = True
    skip = False
    """Whether a dense straight path from input to output is learned beside the features."""

    def begin(self, shape: Shape, settings: Settings, y: torch.Tensor, generator: torch.Generator) -> Parameters:
        """First parameters; a straight path starts at 0."""
        p = first_parameters(shape, settings, y, generator)
        return {**p, "W_skip": torch.zeros(shape.d_in, shape.d_out)} if self.skip else p

    def loss(self, p: Parameters, x: torch.Tensor, y: torch.Tensor, settings: Settings, running: Running) -> Loss:
        """Squared error of the selected codes (mean over nested prefixes) and the aux loss of dead features."""
        pre = pre_activations(p, x, self.centre)
        keep = keep_token_top if self.selection == "token" else keep_batch_top
        codes = keep(pre, settings.k)
        target = y - x @ p["W_skip"] if self.skip else y
        written = codes @ p["W_dec"] + p["b_dec"]
        total = nested_error(codes, p, target, settings.prefixes)
        return Loss(total + aux_loss(p, pre, target - written, settings, running), written + (y - target), codes)

    def finish(self, p: Parameters, settings: Settings, running: Running) -> Dictionary:
        """Token-wise: a top-k dictionary. Batch-wise: a JumpReLU one with one threshold, as SAELens saves it."""
        how: dict[str, Any] = {"activation": "topk", "k": settings.k, "apply_b_dec_to_input": self.centre}
        if self.selection == "batch":
            how |= {"activation": "jumprelu", "threshold": torch.full_like(p["b_enc"], running.threshold)}
        if self.skip:
            how["W_skip"] = p["W_skip"].detach().clone()
        if len(settings.prefixes) > 1:
            how["widths"] = settings.prefixes
        return made(p, settings, running, **how)
