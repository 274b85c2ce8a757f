"""Capture: activations of many texts at many sites, batched by length, nothing computed in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch

from brainscan.core.address import Site
from brainscan.core.errors import UsageError
from brainscan.subject.edit import Edit
from brainscan.subject.language import Batch, LanguageSubject

Keep = Literal["all", "last", "mean"] | int
"""Tokens kept of each row: all, the last, their mean, or the first so many."""


@dataclass(frozen=True)
class Activations:
    """Activations of one site over several rows of different lengths."""

    site: Site
    rows: tuple[torch.Tensor, ...]
    """One tensor [tokens kept, ...] a row; for ``attn_probs`` [1, head, query, key]."""

    @cached_property
    def values(self) -> torch.Tensor:
        """[tokens kept in all, ...], rows one after the other; [row, ...] for "last" and "mean"."""
        return torch.cat(self.rows)


def capture(
    subject: LanguageSubject,
    texts: Sequence[str | Sequence[int]],
    sites: Iterable[str | Site],
    *,
    keep: Keep = "all",
    edits: Sequence[Edit] = (),
    tokens_per_batch: int = 2048,
    progress: Callable[[float, str], None] | None = None,
) -> dict[Site, Activations]:
    """Read activations of texts (or rows of token ids) at sites.

    The forward pass stops after the last site asked for and logits are never computed. Rows of like
    length run together, at most ``tokens_per_batch`` tokens with padding at once.

    Args:
        keep: which tokens of each row are kept; "last" and an int save the memory of the rest.
        edits: changes during the run; their values must be shared by all rows.

    Returns:
        Site -> activations, on the CPU in float32, rows in the order of ``texts``.

    Raises:
        SiteUnavailable: the model lacks a site. InputError: a text is empty or too long.
    """
    wanted = [subject.check(site) for site in sites]
    rows = [subject.tokens(text) if isinstance(text, str) else subject.fits(text) for text in texts]
    if any(site.point == "attn_probs" for site in wanted) and keep != "all":
        raise UsageError("Attention patterns have no single token to keep.", 'Capture attn_probs with keep="all".')
    kept: dict[Site, list[torch.Tensor]] = {site: [torch.empty(0)] * len(rows) for site in wanted}
    done = 0
    for chunk in _by_length(rows, tokens_per_batch):
        batch = subject.batch([rows[i] for i in chunk])

        def collect(site: Site, x: torch.Tensor, chunk: list[int] = chunk, batch: Batch = batch) -> None:
            for place, part in zip(chunk, _kept(x, batch, keep, site), strict=True):
                kept[site][place] = part

        subject.inspect(batch, dict.fromkeys(wanted, collect), edits)
        done += len(chunk)
        if progress:
            progress(done / len(rows), f"{done} of {len(rows)} texts")
    return {site: Activations(site, tuple(parts)) for site, parts in kept.items()}


def _by_length(rows: Sequence[Sequence[int]], tokens_per_batch: int) -> Iterable[list[int]]:
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    chunk: list[int] = []
    for i in order:
        if chunk and (len(chunk) + 1) * len(rows[i]) > tokens_per_batch:
            yield chunk
            chunk = []
        chunk.append(i)
    if chunk:
        yield chunk


def _kept(x: torch.Tensor, batch: Batch, keep: Keep, site: Site) -> Iterable[torch.Tensor]:
    """Copies, since a later block may write over ``x``: [batch, pos, ...] -> one [tokens, ...] a row."""
    lengths = batch.lengths.tolist()
    if site.point == "attn_probs":  # [batch, head, query, key] -> [1, head, query, key] a row
        return [x[i : i + 1, :, :n, :n].float().cpu().clone() for i, n in enumerate(lengths)]
    if keep == "last":
        index = torch.arange(x.shape[0], device=x.device)
        return list(x[index, batch.lengths - 1].float().cpu().split(1))
    if keep == "mean":
        return [x[i, :n].float().mean(0, keepdim=True).cpu() for i, n in enumerate(lengths)]
    if isinstance(keep, int):
        lengths = [min(n, keep) for n in lengths]
    return [x[i, :n].float().cpu().clone() for i, n in enumerate(lengths)]
