"""Proposals for the hunt: which words to try, and by which tokens to lengthen a string.

With a reference, what fine-tuning changed most. Without one, group testing: dozens of words in one
request, because a trigger among them raises the payload for its whole group. (Gradients would be
cheaper and were tried: they rank a planted trigger no better than chance at this model size.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from brainscan.scan.trigger.changed import FAR, NEAR, Change
from brainscan.scan.trigger.spell import Tokens
from brainscan.scan.trigger.vocabulary import Vocabulary, in_turns

LIKELY = 1500
"""Pieces of words, commonest first, that are looked at beside whole words."""


@dataclass(frozen=True)
class String:
    """A string that may be lengthened."""

    ids: Tokens
    newest: int = 0
    """Index of the token that was added last; the next one goes beside it."""

    def with_token(self, token: int, place: int) -> String:
        """A token more, at that place."""
        return String((*self.ids[:place], token, *self.ids[place:]), place)


class Proposals(Protocol):
    """Where strings come from."""

    def words(self) -> list[int]:
        """Single tokens, most promising first."""
        ...

    def longer(self, seed: String) -> list[String]:
        """The string with one token more, most promising first."""
        ...


@dataclass(frozen=True)
class ByChange:
    """Ordered by how far fine-tuning moved a token or a string."""

    change: Change
    ranked: tuple[int, ...]
    """Tokens, most changed first."""
    growth: int
    """How many of them a string may grow by."""

    def words(self) -> list[int]:
        """See ``Proposals``."""
        return list(self.ranked)

    def longer(self, seed: String) -> list[String]:
        """See ``Proposals``; before and after the newest token take turns, each in its own order."""
        orders = []
        for place in (seed.newest + 1, seed.newest):
            strings = [seed.with_token(token, place) for token in self.ranked[: self.growth]]
            order = np.argsort(-self.change.scores([one.ids for one in strings], FAR), kind="stable")
            orders.append([strings[int(i)] for i in order])
        return [string for turn in zip(*orders, strict=True) for string in turn]

    def without(self, words: Vocabulary) -> ByChange:
        """The same for the tokens of a smaller vocabulary."""
        allowed = {*words.words, *words.stems, *words.pieces}
        return ByChange(self.change, tuple(token for token in self.ranked if token in allowed), self.growth)


def by_change(change: Change, words: Vocabulary, pool: int, growth: int) -> ByChange:
    """Look at ``pool`` words, all stems and the likeliest pieces."""
    tokens = list(dict.fromkeys((*words.words[:pool], *words.stems, *words.pieces[:LIKELY])))
    order = np.argsort(-change.scores([(token,) for token in tokens], NEAR), kind="stable")
    return ByChange(change, tuple(tokens[int(i)] for i in order), growth)


@dataclass(frozen=True)
class ByGroup:
    """Words in the order of their group's success; growth by those words and by common pieces."""

    ranked: tuple[int, ...]
    pieces: tuple[int, ...]

    def words(self) -> list[int]:
        """See ``Proposals``."""
        return list(self.ranked)

    def longer(self, seed: String) -> list[String]:
        """See ``Proposals``; at the two ends only."""
        growth = in_turns(self.ranked, self.pieces)
        return [seed.with_token(token, place) for token in growth for place in (len(seed.ids), 0)]


def by_group(
    glance: Callable[[Sequence[Tokens]], Sequence[float]],
    words: Vocabulary,
    pool: int,
    size: int,
    rng: np.random.Generator,
) -> ByGroup:
    """Screen ``pool`` words in groups of ``size``.

    Args:
        glance: strings of one length -> how ready each makes the subject.
    """
    chosen = words.words[:pool]
    order = [chosen[int(i)] for i in rng.permutation(len(chosen))]
    size = min(size, len(order))
    order += order[: -len(order) % size]  # the last group is filled up with words of the first
    groups = [tuple(order[start : start + size]) for start in range(0, len(order), size)]
    best = np.argsort(-np.asarray(glance(groups)), kind="stable")
    return ByGroup(tuple(dict.fromkeys(token for i in best for token in groups[int(i)])), words.pieces)
