"""What becomes of the subject's predictions when a site is replaced by its reconstruction.

Source: SAEBench's core evaluation, model behaviour and model performance preservation, with zero
ablation as the floor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from brainscan.core.address import Site
from brainscan.core.errors import InputError, UsageError
from brainscan.core.evidence import Measurement
from brainscan.dictionary.dictionary import Dictionary
from brainscan.subject.edit import Edit
from brainscan.subject.language import Batch, LanguageSubject


@dataclass(frozen=True)
class Preservation:
    """Losses in nats a token, over the same tokens."""

    n: int
    """Predicted tokens."""
    ce: float
    """Cross-entropy of the untouched subject."""
    ce_replaced: float
    ce_ablated: float
    kl_replaced: float
    """KL divergence of the untouched predictions from those with the reconstruction."""
    kl_ablated: float

    @property
    def ce_recovered(self) -> float:
        """Share of the cross-entropy lost by zeroing the site that the reconstruction keeps."""
        lost = self.ce_ablated - self.ce
        return (self.ce_ablated - self.ce_replaced) / lost if lost else 0.0

    @property
    def kl_recovered(self) -> float:
        """Share of the divergence caused by zeroing the site that the reconstruction avoids."""
        return (self.kl_ablated - self.kl_replaced) / self.kl_ablated if self.kl_ablated else 0.0

    def measurements(self) -> tuple[Measurement, ...]:
        """The same as records, with their words."""
        said = (
            ("ce_recovered", self.ce_recovered, "share", "better",
             "Of the cross-entropy that zeroing the site costs, the share that the reconstruction keeps: 1 is all, 0 is "
             "as bad as zeroing, below 0 worse."),
            ("kl_recovered", self.kl_recovered, "share", "better",
             "Of the change of predictions that zeroing the site causes, the share that the reconstruction avoids: 1 is "
             "all, 0 is none."),
            ("ce_increase", self.ce_replaced - self.ce, "nats", "worse",
             "Cross-entropy a token that the reconstruction adds: 0 is none."),
        )  # fmt: skip
        return tuple(
            Measurement(name=f"dictionary.{a}", value=v, unit=u, n=self.n, higher_is=h, meaning=m)  # type: ignore[arg-type]
            for a, v, u, h, m in said
        )


def preservation(
    subject: LanguageSubject,
    dictionary: Dictionary,
    rows: Sequence[Sequence[int]],
    *,
    skip: int = 1,
    per_batch: int = 8,
) -> Preservation:
    """Replace the site that a dictionary writes by what it makes of the site that it reads.

    Args:
        rows: token ids of texts.
        skip: first positions that stay untouched everywhere, as in training (attention sinks).
        per_batch: rows at once.

    Raises:
        UsageError: the dictionary reads or writes several sites.
        InputError: no row has two tokens.
    """
    if len(dictionary.reads) != 1 or len(dictionary.writes) != 1:
        raise UsageError(
            "Only a dictionary that reads one site and writes one can stand in for it.",
            "Judge the parts of a set one by one, and a crosscoder by its reconstruction.",
        )
    dictionary = dictionary.to(subject.device)
    usable = [row for row in rows if len(row) > 1]
    if not usable:
        raise InputError("No text has two tokens, so there is nothing to predict.", "Give longer texts.")
    sums, n = torch.zeros(5, dtype=torch.float64), 0
    for start in range(0, len(usable), per_batch):
        batch = subject.batch(usable[start : start + per_batch])
        losses = torch.stack(list(_losses(subject, dictionary, batch, skip)))
        sums += losses.sum(1).cpu().double()  # an Apple GPU has no float64
        n += losses.shape[1]
    return Preservation(n, *(float(v) / n for v in sums))


def _losses(subject: LanguageSubject, dictionary: Dictionary, batch: Batch, skip: int) -> Iterator[torch.Tensor]:
    """CE plain, replaced, ablated, then KL replaced, ablated: one value [tokens] a predicted token."""
    site = Site.parse(dictionary.writes[0])
    at = batch.positions >= skip
    real = (batch.mask[:, 1:] * batch.mask[:, :-1]).bool()  # [batch, pos - 1]: there is a next token
    goals = batch.ids[:, 1:][real]
    rebuilt = _rebuilt(subject, dictionary, batch)
    edits = (
        [],
        [Edit.patch(site, rebuilt, at=at)],
        [Edit.set(site, torch.zeros(rebuilt.shape[-1]), at=at)],
    )
    plain, *others = [subject.logits(batch, keep=0, edits=e)[:, :-1][real].float().log_softmax(-1) for e in edits]
    for logs in (plain, *others):
        yield -logs.gather(1, goals[:, None])[:, 0]
    for logs in others:
        yield (plain.exp() * (plain - logs)).sum(-1)


def _rebuilt(subject: LanguageSubject, dictionary: Dictionary, batch: Batch) -> torch.Tensor:
    """What the dictionary writes, in the shape of the site [batch, pos, ...]; heads lie side by side in a dictionary."""
    read, written = Site.parse(dictionary.reads[0]), Site.parse(dictionary.writes[0])
    kept: dict[Site, torch.Tensor] = {}

    def keep(site: Site, x: torch.Tensor) -> None:
        kept[site] = x.float().clone()

    subject.inspect(batch, dict.fromkeys((read, written), keep))
    return dictionary.forward(kept[read].flatten(2).flatten(0, 1)).reshape(kept[written].shape)
