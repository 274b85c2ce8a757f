"""Skip transcoder: a transcoder beside a dense linear path, which takes what is linear off the features.

Source: Paulo et al., "Transcoders Beat Sparse Autoencoders for Interpretability" (arXiv 2501.18823),
section 3.
"""

from __future__ import annotations

from brainscan.dictionary.selecting import SelectingKind


class SkipTranscoder(SelectingKind):
    """A transcoder with ``W_skip`` [d_in, d_out], which starts at 0."""

    name = "skip_transcoder"
    selection = "batch"
    centre = False
    skip = True
