"""Transcoder: reads one site and predicts another, for example an MLP's output from its input.

Source: Dunefsky et al., "Transcoders Find Interpretable LLM Feature Circuits" (arXiv 2406.11944),
section 3; with BatchTopK in place of L1.
"""

from __future__ import annotations

from brainscan.dictionary.selecting import SelectingKind


class Transcoder(SelectingKind):
    """BatchTopK codes of what is read, decoded into what is written; no bias is taken off the input."""

    name = "transcoder"
    selection = "batch"
    centre = False
