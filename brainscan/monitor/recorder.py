"""Keeping the activations that pass by while answers are generated: what rules and signals are learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from brainscan.core.address import Site


class Recorder:
    """The last token of each prompt and every token of its answer, at some sites.

    Args:
        sites: of one width.
        rows: how many answers.
    """

    def __init__(self, sites: Sequence[Site], rows: int) -> None:
        self.sites = tuple(sites)
        self.kept: list[list[torch.Tensor]] = [[] for _ in range(rows)]

    def see(self, captured: Mapping[Site, torch.Tensor], live: Sequence[bool]) -> None:
        """Keep the last token of a pass for each live row (prompts are padded on the left)."""
        last = torch.stack([captured[site][:, -1].float() for site in self.sites], 1).cpu()  # [batch, site, d]
        for i, alive in enumerate(live):
            if alive:
                self.kept[i].append(last[i])

    def tokens(self, i: int) -> torch.Tensor:
        """Activations [token, site, d] of row ``i``, the first being the last token of its prompt."""
        return torch.stack(self.kept[i])
