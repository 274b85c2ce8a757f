"""Matryoshka BatchTopK: every prefix of the dictionary must reconstruct by itself, so that first features stay general.

Source: Bussmann et al., "Learning Multi-Level Features with Matryoshka Sparse Autoencoders"
(arXiv 2503.17547), section 3. The prefixes are ``Settings.prefixes``.
"""

from __future__ import annotations

from brainscan.dictionary.selecting import SelectingKind


class Matryoshka(SelectingKind):
    """BatchTopK whose loss is the mean over nested prefixes of the error that each leaves."""

    name = "matryoshka"
    selection = "batch"
