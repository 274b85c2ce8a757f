"""Crosscoder: one set of features over several sites at once (layers, or one site of two subjects).

Source: Lindsey et al., "Sparse Crosscoders for Cross-Layer Features and Model Diffing" (2024), and its
BatchTopK form, Minder et al. (arXiv 2504.02922). A feature's row of W_dec, over all sites together, has
norm 1; ``site_norms`` says how that norm is spread, which is what model diffing reads.
"""

from __future__ import annotations

import torch

from brainscan.dictionary.dictionary import Dictionary
from brainscan.dictionary.selecting import SelectingKind


class Crosscoder(SelectingKind):
    """BatchTopK over sites laid side by side."""

    name = "crosscoder"
    selection = "batch"
    centre = False


def site_norms(dictionary: Dictionary) -> torch.Tensor:
    """Norm of each feature's decoder at each written site [n_features, sites], 0 and up.

    For two subjects a / (a + b) is 0.5 for a shared feature, near 0 or 1 for one that only one subject has.
    """
    return dictionary.W_dec.view(dictionary.n_features, len(dictionary.writes), -1).norm(dim=2)
