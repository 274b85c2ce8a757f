"""ReLU with an L1 penalty: the first sparse autoencoders.

Source: Bricken et al., "Towards Monosemanticity" (2023); Cunningham et al. (arXiv 2309.08600).
"""

from __future__ import annotations

import torch

from brainscan.dictionary.autoencoder import aux_loss, first_parameters, made, pre_activations, squared_error
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.protocol import Loss, Parameters, Running, Shape
from brainscan.dictionary.settings import Settings


class Relu:
    """Squared error plus pressure * L1 of the codes; the pressure follows the L0 towards k."""

    name = "relu"
    selection = None
    centre = True

    def begin(self, shape: Shape, settings: Settings, y: torch.Tensor, generator: torch.Generator) -> Parameters:
        """First parameters."""
        return first_parameters(shape, settings, y, generator)

    def loss(self, p: Parameters, x: torch.Tensor, y: torch.Tensor, settings: Settings, running: Running) -> Loss:
        """Squared error, L1 under pressure, aux loss."""
        pre = pre_activations(p, x, self.centre)
        codes = torch.relu(pre)
        written = codes @ p["W_dec"] + p["b_dec"]
        sparsity = running.pressure * codes.sum(1).mean()
        aux = aux_loss(p, pre, y - written, settings, running)
        return Loss(squared_error(written, y) + sparsity + aux, written, codes)

    def finish(self, p: Parameters, settings: Settings, running: Running) -> Dictionary:
        """A ReLU dictionary."""
        return made(p, settings, running, activation="relu", apply_b_dec_to_input=True)
