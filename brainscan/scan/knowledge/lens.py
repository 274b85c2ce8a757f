"""The logit lens: what each layer would answer if it were the last.

Source: nostalgebraist, "interpreting GPT: the logit lens" (2020). Early layers are not written in the
output's language, so that a low probability there says little; a high one says something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.core.statistics import Floats

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

_ROWS_AT_ONCE = 48
"""Vectors read through the output matrix together; a large vocabulary makes each of them a megabyte."""


def lens_logits(subject: LanguageSubject, residual: torch.Tensor) -> torch.Tensor:
    """Logits [row, vocab] of residual vectors [row, d_model], through the final norm and the output matrix."""
    head = subject.model.get_output_embeddings()
    with torch.no_grad():
        here = residual.to(subject.unembedding.device, subject.unembedding.dtype)
        return head(subject.final_norm(here)).float().cpu()


def last_residuals(subject: LanguageSubject, rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """Residual stream after every block at the last token of each row [row, layer, d_model]."""
    sites = [Site("resid_post", layer) for layer in range(subject.n_layers)]
    seen = capture(subject, rows, sites, keep="last")
    return torch.stack([seen[site].values for site in sites], 1)


def token_probabilities(subject: LanguageSubject, row: Sequence[int], token: int, last: int) -> Floats:
    """Probability of one token as the next, at every layer and each of the ``last`` tokens of a row [layer, token]."""
    sites = [Site("resid_post", layer) for layer in range(subject.n_layers)]
    seen = capture(subject, [row], sites)
    return np.stack([_probability(subject, seen[site].rows[0][-last:], token) for site in sites])


def _probability(subject: LanguageSubject, residual: torch.Tensor, token: int) -> Floats:
    parts = [torch.softmax(lens_logits(subject, part), -1)[:, token] for part in residual.split(_ROWS_AT_ONCE)]
    return torch.cat(parts).double().numpy()
