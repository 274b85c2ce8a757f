"""Gated: one path decides which features are on, the other how strongly.

Source: Rajamanoharan et al., "Improving Dictionary Learning with Gated Sparse Autoencoders"
(arXiv 2404.16014), section 3.2: weights tied up to a factor exp(r_mag) a feature, L1 on the gate alone,
and an auxiliary reconstruction from the gate through a frozen decoder.
"""

from __future__ import annotations

import torch

from brainscan.dictionary.autoencoder import aux_loss, first_parameters, made, pre_activations, squared_error
from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.protocol import Loss, Parameters, Running, Shape
from brainscan.dictionary.settings import Settings


class Gated:
    """``b_enc`` is the bias of the magnitude, ``b_gate`` that of the gate."""

    name = "gated"
    selection = None
    centre = True

    def begin(self, shape: Shape, settings: Settings, y: torch.Tensor, generator: torch.Generator) -> Parameters:
        """First parameters; both paths start equal."""
        zeros = torch.zeros(settings.n_features)
        return {**first_parameters(shape, settings, y, generator), "r_mag": zeros, "b_gate": zeros.clone()}

    def loss(self, p: Parameters, x: torch.Tensor, y: torch.Tensor, settings: Settings, running: Running) -> Loss:
        """Squared error, L1 of the gate under pressure, error of the gate's own reconstruction, aux loss of the gate."""
        shared = pre_activations({**p, "b_enc": torch.zeros_like(p["b_enc"])}, x, self.centre)
        gate = shared + p["b_gate"]
        codes = torch.relu(p["r_mag"].exp() * shared + p["b_enc"]) * (gate > 0)
        written = codes @ p["W_dec"] + p["b_dec"]
        opened = torch.relu(gate)
        frozen = opened @ p["W_dec"].detach() + p["b_dec"].detach()
        total = squared_error(written, y) + running.pressure * opened.sum(1).mean() + squared_error(frozen, y)
        aux = aux_loss(p, gate, y - written, settings, running)  # a feature is dead because its gate is shut
        return Loss(total + aux, written, codes)

    def finish(self, p: Parameters, settings: Settings, running: Running) -> Dictionary:
        """A gated dictionary."""
        gate = {name: p[name].detach().clone() for name in ("r_mag", "b_gate")}
        return made(p, settings, running, activation="gated", apply_b_dec_to_input=True, **gate)
