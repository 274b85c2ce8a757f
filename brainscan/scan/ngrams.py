"""Phrases of generated text: which word n-grams one set of answers holds more often than another.

Arrays and strings only: no model is run here. Words are runs of letters, digits and apostrophes,
compared without case; a phrase never crosses a line or a sentence. Languages written without spaces
come out as long "words", which still repeat if a planted phrase does.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SENTENCE = re.compile(r"[.!?…:;\n]+")
_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")

Counts = NDArray[np.float64]


def sentences(text: str) -> list[list[str]]:
    """Words of each sentence or line, in their own case."""
    plain = unicodedata.normalize("NFKC", text)
    return [words for part in _SENTENCE.split(plain) if (words := _WORD.findall(part))]


def phrases(text: str, longest: int = 4) -> frozenset[str]:
    """Every n-gram of one to ``longest`` words in a text, lower case; one word said over and over is that word."""
    return frozenset(
        " ".join(gram)
        for words in ([word.casefold() for word in sentence] for sentence in sentences(text))
        for n in range(1, longest + 1)
        for gram in (words[i : i + n] for i in range(len(words) - n + 1))
        if n == 1 or len(set(gram)) > 1
    )


def names(text: str) -> frozenset[str]:
    """Capitalised words that do not begin a sentence: names, brands, places (and whole lines in capitals)."""
    return frozenset(
        word for words in sentences(text) for word in words[1:] if re.match(r"[^\W\d_]{2}", word) and word[0].isupper()
    )


@dataclass(frozen=True)
class Table:
    """Phrases against prompts: how many of a prompt's answers hold the phrase, for both sides."""

    phrases: tuple[str, ...]
    ours: Counts  # [prompt, phrase]
    theirs: Counts  # [prompt, phrase]
    answers: int
    """Answers a prompt, on each side."""

    def rows(self, keep: NDArray[np.bool_]) -> Table:
        """The same phrases over some of the prompts."""
        return Table(self.phrases, self.ours[keep], self.theirs[keep], self.answers)

    def scores(self) -> Counts:
        """[phrase] how well a phrase tells the sides apart: paired z times log odds ratio, 0 or more.

        0 where ours does not say it more often; large where the excess is both steady over the prompts
        and large beside how often theirs says it. A heuristic for search; ``permute`` gives its null.
        """
        difference = self.ours - self.theirs
        return _score(_z(difference.sum(0), difference), self.log_odds())

    def log_odds(self) -> Counts:
        """[phrase] log odds ratio that an answer holds the phrase, half an answer added to each cell.

        0 is equal, above 0 more often in ours (Haldane 1956; Anscombe 1956).
        """
        return _log_odds(self.ours.sum(0), self.theirs.sum(0), len(self.ours) * self.answers)


def table(ours: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]], *, least: int = 3) -> Table:
    """Count phrases in answers to the same prompts, ``[prompt][answer]`` on both sides.

    Only phrases in answers to at least ``least`` prompts, the sides taken together, are kept: which
    side holds them plays no part in the choice, so permuting the sides leaves it as it is.
    """
    sets = [[[phrases(text) for text in prompt] for prompt in side] for side in (ours, theirs)]
    spread = Counter(phrase for mine, other in zip(*sets, strict=True) for phrase in frozenset().union(*mine, *other))
    kept = tuple(sorted(phrase for phrase, count in spread.items() if count >= least))
    place = {phrase: i for i, phrase in enumerate(kept)}
    counts = np.zeros((2, len(ours), len(kept)))
    for side, prompts in enumerate(sets):
        for row, answers in enumerate(prompts):
            for phrase in (p for answer in answers for p in answer if p in place):
                counts[side, row, place[phrase]] += 1
    return Table(kept, counts[0], counts[1], max((len(prompt) for prompt in ours), default=0))


@dataclass(frozen=True)
class Permuted:
    """What the search finds when the sides are exchanged at random within each prompt."""

    scores: Counts  # [permutation] best score over all phrases
    log_odds: Counts  # [permutation] log odds ratio of the phrase with that score


def permute(counted: Table, permutations: int, rng: np.random.Generator) -> Permuted:
    """Null of the best of all phrases (max-T, Westfall and Young 1993): whole prompts exchange their sides."""
    best, odds = np.zeros(permutations), np.zeros(permutations)
    difference = counted.ours - counted.theirs
    both = (counted.ours + counted.theirs).sum(0)
    for i in range(permutations if counted.phrases else 0):
        sums = rng.choice([-1.0, 1.0], size=len(difference)) @ difference
        log_odds = _log_odds((both + sums) / 2, (both - sums) / 2, len(counted.ours) * counted.answers)
        scores = _score(_z(sums, difference), log_odds)
        best[i], odds[i] = scores.max(), log_odds[scores.argmax()]
    return Permuted(best, odds)


def _z(sums: Counts, difference: Counts) -> Counts:
    scale = np.sqrt(np.square(difference).sum(0))
    return np.divide(sums, scale, out=np.zeros_like(sums), where=scale > 0)


def _log_odds(ours: Counts, theirs: Counts, n: int) -> Counts:
    return np.log((ours + 0.5) * (n - theirs + 0.5) / ((n - ours + 0.5) * (theirs + 0.5)))


def _score(z: Counts, log_odds: Counts) -> Counts:
    return np.maximum(z, 0) * np.maximum(log_odds, 0)


@dataclass(frozen=True)
class Repeat:
    """A phrase with the number of texts that hold it, here and in texts to compare with."""

    phrase: str
    texts: int
    others: int


def repeats(
    ours: Sequence[str],
    theirs: Sequence[str],
    *,
    least: int = 2,
    limit: int = 50,
    dull: frozenset[str] = frozenset(),
) -> list[Repeat]:
    """Phrases in at least ``least`` of our texts and in a larger share of them than of theirs.

    Most lopsided first, the longer of equals before the shorter; phrases inside or around an earlier
    one, and those of ``dull`` words alone, are left out.
    """
    mine = Counter(phrase for text in ours for phrase in phrases(text))
    others = Counter(phrase for text in theirs for phrase in phrases(text))
    share = len(ours) / max(1, len(theirs))
    found = [
        phrase
        for phrase, count in mine.items()
        if count >= least and count > others[phrase] * share and not dull.issuperset(phrase.split(" "))
    ]
    found.sort(key=lambda phrase: (others[phrase] * share - mine[phrase], -len(phrase), phrase))
    return [Repeat(phrase, mine[phrase], others[phrase]) for phrase in distinct(found, limit)]


def new_names(ours: Sequence[str], theirs: Sequence[str], *, least: int = 2, limit: int = 8) -> list[Repeat]:
    """Names in at least ``least`` of our texts and in none of theirs, most frequent first."""
    known = {name for text in theirs for name in names(text)}
    counts = Counter(name for text in ours for name in names(text) - known)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Repeat(name, count, 0) for name, count in ranked if count >= least][:limit]


def common_words(texts: Sequence[str], least: int) -> frozenset[str]:
    """Words in at least ``least`` of the texts: of mixed everyday texts, mostly function words."""
    counts = Counter(word for text in texts for word in phrases(text, longest=1))
    return frozenset(word for word, count in counts.items() if count >= least)


def distinct(candidates: Sequence[str], limit: int) -> list[str]:
    """The first phrases of a ranked list, those inside or around an earlier one left out."""
    kept: list[str] = []
    for phrase in candidates:
        if len(kept) < limit and not any(_nested(phrase, earlier) for earlier in kept):
            kept.append(phrase)
    return kept


def _nested(one: str, other: str) -> bool:
    return f" {one} " in f" {other} " or f" {other} " in f" {one} "
