"""Four-way recall, read at every layer in one pass.

Each fact's answer is begun ("The answer is:"), and the probabilities of the first tokens of the right
and the three wrong answers are compared. The last layer's choice is the subject's; the choices of the
layers before it come through the logit lens. Facts whose answers share a first token are not scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from brainscan.core.statistics import Floats
from brainscan.scan.ask import ask
from brainscan.scan.knowledge.lens import last_residuals, lens_logits
from brainscan.scan.texts.facts import CAPITALS, ELEMENTS, Fact

if TYPE_CHECKING:
    from brainscan.subject.language import LanguageSubject

BEGUN = "The answer is:"
"""With the colon the answer itself comes next; without it small models first write one, or an article."""
OPTIONS = 4
_ROWS_AT_ONCE = 32


@dataclass(frozen=True)
class Item:
    """A fact as a subject sees it."""

    fact: Fact
    ids: tuple[int, ...]
    """The question with its begun answer."""
    options: tuple[int, ...]
    """First token of the right answer, then of the wrong ones; all different."""


@dataclass(frozen=True)
class Recalled:
    """What every layer makes of every item."""

    items: tuple[Item, ...]
    log_p: Floats  # [item, layer, option] nats, the right answer first
    rank: NDArray[np.int_]  # [item, layer, option] 0 is the likeliest token of the whole vocabulary

    @property
    def right(self) -> NDArray[np.bool_]:
        """Items that the subject itself gets right [item]."""
        return self.by_layer[:, -1]

    @property
    def by_layer(self) -> NDArray[np.bool_]:
        """Items whose right answer leads the four at each layer [item, layer]."""
        return self.log_p.argmax(2) == 0

    @property
    def inner(self) -> slice:
        """Layers that count as inside: not the first quarter, which the lens reads badly, nor the last tenth,
        which is nearly the output."""
        layers = self.rank.shape[1]
        return slice(layers // 4, max(layers // 4 + 1, layers - 1 - layers // 10))

    def clearest(self) -> tuple[Floats, NDArray[np.int_]]:
        """Highest log-probability of the right answer inside, and the layer where it is [item]."""
        inside = self.log_p[:, self.inner, 0]
        return inside.max(1), inside.argmax(1) + (self.inner.start or 0)

    def withheld(self, top: int) -> NDArray[np.bool_]:
        """Answers [item, option] in the ``top`` tokens of an inner layer and not of the output."""
        return (self.rank[:, self.inner] < top).any(1) & (self.rank[:, -1] >= top)


def facts(count: int, rng: np.random.Generator) -> tuple[Fact, ...]:
    """So many capitals and chemical symbols, drawn without repetition."""
    known = [capital.fact() for capital in CAPITALS] + [element.symbol_fact() for element in ELEMENTS]
    return tuple(known[int(i)] for i in rng.permutation(len(known))[:count])


def items_of(subject: LanguageSubject, asked: Sequence[Fact]) -> tuple[Item | None, ...]:
    """Each fact as an item; None where its answers cannot be told apart by one token."""
    return tuple(_item(subject, fact) for fact in asked)


def recall(
    subject: LanguageSubject, items: Sequence[Item], progress: Callable[[float, str], None] = lambda f, w: None
) -> Recalled:
    """Read every item once, at every layer."""
    log_p = np.empty((len(items), subject.n_layers, OPTIONS))
    rank = np.empty(log_p.shape, dtype=int)
    for start in range(0, len(items), _ROWS_AT_ONCE):
        chunk = items[start : start + _ROWS_AT_ONCE]
        options = torch.tensor([item.options for item in chunk])
        residuals = last_residuals(subject, [item.ids for item in chunk])  # [item, layer, d]
        for layer in range(subject.n_layers):
            logits = lens_logits(subject, residuals[:, layer])  # [item, vocab]
            chosen = logits.gather(1, options)
            log_p[start : start + len(chunk), layer] = (chosen - logits.logsumexp(1, keepdim=True)).numpy()
            rank[start : start + len(chunk), layer] = (logits[:, None] > chosen[:, :, None]).sum(2).numpy()
        progress((start + len(chunk)) / len(items), f"{start + len(chunk)} of {len(items)} facts")
    return Recalled(tuple(items), log_p, rank)


def _item(subject: LanguageSubject, fact: Fact) -> Item | None:
    ids = ask(subject, fact.question, answer=BEGUN)
    wholes = [ask(subject, fact.question, answer=f"{BEGUN} {option}") for option in (fact.right, *fact.wrong)]
    if any(whole[: len(ids)] != ids for whole in wholes):
        return None
    # What all four begin with, such as a space of its own, belongs to the question.
    begun = next((i for i, column in enumerate(zip(*wholes, strict=False)) if len(set(column)) > 1), None)
    if begun is None:
        return None
    options = tuple(whole[begun] for whole in wholes)
    return Item(fact, tuple(wholes[0][:begun]), options) if len(set(options)) == OPTIONS else None
