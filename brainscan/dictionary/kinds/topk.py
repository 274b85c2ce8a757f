"""TopK: exactly k codes a token.

Source: Gao et al., "Scaling and evaluating sparse autoencoders" (arXiv 2406.04093), section 2.3.
"""

from __future__ import annotations

from brainscan.dictionary.selecting import SelectingKind


class TopK(SelectingKind):
    """Keeps the k largest positive codes of each token."""

    name = "topk"
    selection = "token"
