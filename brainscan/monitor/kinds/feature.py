"""One feature of a dictionary: how strongly it is on in each token.

Arrays: ``weights`` [d] and ``bias`` [] of the feature's encoder row, the dictionary's centring folded in.
The score is the pre-activation: a threshold that clean traffic sets replaces the dictionary's own.
"""

from __future__ import annotations

import numpy as np
import torch

from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.dictionary.dictionary import Dictionary
from brainscan.monitor.reader import Seen
from brainscan.monitor.record import Arrays, Rule


class Feature:
    """Pre-activation of one feature."""

    def __init__(self, rule: Rule, arrays: Arrays) -> None:
        self.site = Site.parse(rule.sites[0])
        self.weights, self.bias = torch.from_numpy(arrays["weights"]), float(arrays["bias"])

    def score(self, seen: Seen) -> torch.Tensor:
        """[batch, pos], in the dictionary's own units."""
        x = seen.activations[self.site].float()
        return x @ self.weights.to(x.device) + self.bias


def learn(dictionary: Dictionary, index: int) -> Arrays:
    """Arrays of a feature rule.

    Raises:
        UsageError: the dictionary has no feature of that number, or normalises each token.
    """
    if not 0 <= index < dictionary.n_features:
        raise UsageError(
            f"The dictionary has no feature {index}.", f"Its features are 0 to {dictionary.n_features - 1}."
        )
    plain = dictionary.folded()
    if plain.normalisation != "none":
        raise UsageError(
            f"The dictionary normalises each token ({plain.normalisation}), so its feature is no single direction.",
            "Use a dictionary with normalisation none or scale.",
        )
    weights = plain.W_enc[:, index].float()
    if plain.r_mag is not None:
        weights = plain.r_mag[index].exp() * weights
    shift = float(plain.b_dec.float() @ weights) if plain.apply_b_dec_to_input else 0.0
    return {"weights": weights.numpy(), "bias": np.array(float(plain.b_enc[index]) - shift, dtype=np.float32)}
