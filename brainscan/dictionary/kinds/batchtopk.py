"""BatchTopK: k codes a token on average, more where a token needs more.

Source: Bussmann et al., "BatchTopK Sparse Autoencoders" (arXiv 2412.06410), section 3. A trained one is
a JumpReLU dictionary: its threshold is the running mean of the smallest code that was kept.
"""

from __future__ import annotations

from brainscan.dictionary.selecting import SelectingKind


class BatchTopK(SelectingKind):
    """Keeps the n * k largest codes of a batch of n tokens."""

    name = "batchtopk"
    selection = "batch"
