"""Which words did fine-tuning change? Tokens whose early representation moved most away from the reference.

A trigger must be noticed before it can act, so the first layers of a backdoored model read its tokens
differently from those of its base, by several times the change of an ordinary word. The read costs
a few layers of a few tokens a candidate and needs neither payload nor gradient. It says that a word
was trained on, which is no crime: new facts change their names in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from brainscan.activations.capture import capture
from brainscan.core.address import Site
from brainscan.scan.texts.candidates import NEUTRAL_LEAD, SEARCH_REQUESTS
from brainscan.scan.trigger.read import Floats
from brainscan.subject.language import LanguageSubject
from brainscan.subject.tree import TokenTree, reads_trees, tree_stream

NEAR, FAR = 0.0, 0.2
"""Depths (share of the layers, above the first changed one) that single words and longer strings are read at."""
LEAST_CHANGE = 1e-5
"""Relative change of the stream below which a layer counts as unchanged."""
_TOKENS = 4096
_ROWS = 400


@dataclass(frozen=True)
class Change:
    """Subject and reference, and where they begin to differ."""

    subject: LanguageSubject
    reference: LanguageSubject
    first: int
    """The first layer whose output differs."""
    lead: tuple[int, ...]
    """Neutral tokens in front: the very first positions of a text are unlike all others."""

    def scores(self, strings: Sequence[Sequence[int]], depth: float) -> Floats:
        """[string] how far the stream at the string's last token moved, against the mean movement of all.

        Only the order of strings of one length means anything.
        """
        layer = min(self.subject.n_layers - 1, self.first + round(depth * self.subject.n_layers))
        rows = [(*self.lead, *string) for string in strings]
        ours, theirs = (last_streams(model, rows, layer) for model in (self.subject, self.reference))
        moved = (ours - theirs).double()
        return (moved - moved.mean(0)).norm(dim=1).numpy()


def last_streams(model: LanguageSubject, rows: Sequence[Sequence[int]], layer: int) -> torch.Tensor:
    """[row, d_model] the stream at each row's last token after a block; shared beginnings are read once."""
    if not reads_trees(model, max(map(len, rows))):
        site = Site("resid_post", layer)
        return capture(model, rows, [site], keep="last", tokens_per_batch=_TOKENS)[site].values
    parts = []
    for start in range(0, len(rows), _ROWS):
        tree = TokenTree.of(rows[start : start + _ROWS])
        stream = tree_stream(model, tree, layer).streams[0].float().cpu()
        parts.append(stream[[path[-1] for path in tree.paths]])
    return torch.cat(parts)


def change_of(subject: LanguageSubject, reference: LanguageSubject) -> Change | None:
    """Where the two differ; None if they do not, or cannot be compared layer by layer."""
    if (subject.n_layers, subject.d_model) != (reference.n_layers, reference.d_model):
        return None
    sites = [Site("resid_post", layer) for layer in range(subject.n_layers)]
    ours, theirs = (capture(model, list(SEARCH_REQUESTS[:2]), sites) for model in (subject, reference))
    for site in sites:
        a, b = ours[site].values, theirs[site].values
        if a.shape == b.shape and float((a - b).norm() / b.norm()) > LEAST_CHANGE:
            return Change(subject, reference, int(site.layer or 0), tuple(subject.raw_tokens(NEUTRAL_LEAD)))
    return None
