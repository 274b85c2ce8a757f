"""Noise in the weights: a model that holds back gets better when noise breaks what holds it back.

Source: Tice et al., "Noise injection reveals hidden capabilities of sandbagging language models"
(arXiv 2412.01784). A model that simply does not know gets worse, or drifts to chance.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from brainscan.core.statistics import Floats
from brainscan.scan.knowledge.recall import Item
from brainscan.subject.score import next_token_logits

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject


@dataclass(frozen=True)
class Noised:
    """Which items are right with and without noise."""

    sigmas: tuple[float, ...]
    base: Floats  # [item] 1 right, 0 wrong, without noise
    right: Floats  # [sigma, item] share of the noise seeds under which the item is right

    def gains(self) -> Floats:
        """Change of each item [item] at the strength that the *other* half of the items chose.

        Choosing the best strength on the items that it is reported for would turn luck into a gain.
        """
        out = np.empty_like(self.base)
        for half in (0, 1):
            chooses, judged = slice(1 - half, None, 2), slice(half, None, 2)
            best = int((self.right[:, chooses] - self.base[chooses]).mean(1).argmax())
            out[judged] = self.right[best, judged] - self.base[judged]
        return out


def sweep(
    subject: LanguageSubject,
    items: Sequence[Item],
    base: Floats,
    sigmas: Sequence[float],
    seeds: Sequence[int],
    progress: Callable[[float, str], None] = lambda f, w: None,
) -> Noised:
    """Score items under noise of several strengths and seeds; the weights are afterwards exactly as before.

    Args:
        items: what is asked.
        base: 1 where the item is right without noise, else 0 [item].
        sigmas: strengths, in units of each matrix's own root mean square.
        seeds: of the noise; results are averaged over them.
    """
    right = np.zeros((len(sigmas), len(items)))
    weights = _matrices(subject)
    with restored(weights) as originals:
        for i, sigma in enumerate(sigmas):
            for j, seed in enumerate(seeds):
                perturb(weights, originals, sigma, seed)
                right[i] += _right(subject, items) / len(seeds)
                done = (i * len(seeds) + j + 1) / (len(sigmas) * len(seeds))
                progress(done, f"noise of {sigma:g} in the weights")
    return Noised(tuple(sigmas), base, right)


@contextlib.contextmanager
def restored(weights: Sequence[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Yield copies of tensors and put them back bit by bit at the end, however the block ends."""
    originals = [weight.detach().clone() for weight in weights]
    try:
        yield originals
    finally:
        with torch.no_grad():
            for weight, original in zip(weights, originals, strict=True):
                weight.copy_(original)


def perturb(weights: Sequence[torch.Tensor], originals: Sequence[torch.Tensor], sigma: float, seed: int) -> None:
    """Set each weight to its original plus N(0, (sigma x its root mean square)^2)."""
    generator = torch.Generator(device=weights[0].device).manual_seed(seed)
    with torch.no_grad():
        for weight, original in zip(weights, originals, strict=True):
            weight.normal_(generator=generator).mul_(sigma * original.float().square().mean().sqrt()).add_(original)


def _matrices(subject: LanguageSubject) -> list[torch.Tensor]:
    """Matrices inside the blocks: noise in the embeddings would only blur which word is which."""
    embeddings = {id(m.weight) for m in subject.model.modules() if isinstance(m, nn.Embedding)}
    embeddings.add(id(subject.unembedding))
    return [w for w in subject.body.parameters() if w.ndim >= 2 and id(w) not in embeddings]


def _right(subject: LanguageSubject, items: Sequence[Item]) -> Floats:
    logits = next_token_logits(subject, [item.ids for item in items])  # [item, vocab]
    options = torch.tensor([item.options for item in items])
    return (logits.gather(1, options).argmax(1) == 0).double().numpy()
