"""Finding features: by words, by the text that makes them fire, by what differs between two texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from brainscan.core.errors import InputError
from brainscan.core.evidence import Record
from brainscan.features.examples import strongest
from brainscan.features.index import FeatureIndex, Floats, Ints
from brainscan.features.score import ScoredLabel

if TYPE_CHECKING:
    from brainscan.dictionary.dictionary import Dictionary
    from brainscan.subject.language import LanguageSubject

_TOP_TOKENS = 3


class Hit(Record):
    """One feature that was found."""

    feature: int
    score: float
    """Higher is better; comparable within one search only."""
    why: str
    """What matched, in a few words."""
    label: str = ""


def by_words(index: FeatureIndex, labels: Mapping[int, ScoredLabel], query: str, count: int = 20) -> tuple[Hit, ...]:
    """Features whose label, strongest tokens or raised tokens hold the words of a query.

    A word in the label counts 3, among the tokens of the strongest firings 2, among the raised tokens 1;
    each is weighed by how few features have it.

    Raises:
        InputError: the query holds no word.
    """
    words = _words(query)
    if not words:
        raise InputError("The query holds no word.", "Write at least one word to look for.")
    fields = {
        int(f): ((_label_words(labels, int(f)), 3.0), (_top_tokens(index, int(f)), 2.0), (_raised(index, int(f)), 1.0))
        for f in index.alive()
    }
    common = Counter(word for parts in fields.values() for word in set().union(*(held for held, _ in parts)))
    hits = []
    for feature, parts in fields.items():
        found = {word: sum(weight for held, weight in parts if word in held) for word in words}
        score = sum(weight * np.log(1 + len(fields) / common[word]) for word, weight in found.items() if weight)
        if score > 0:
            why = ", ".join(word for word, weight in found.items() if weight)
            hits.append(Hit(feature=feature, score=float(score), why=why, label=_label(labels, feature)))
    return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.feature))[:count])


def by_text(
    index: FeatureIndex,
    labels: Mapping[int, ScoredLabel],
    subject: LanguageSubject,
    dictionary: Dictionary,
    text: str,
    count: int = 20,
) -> tuple[Hit, ...]:
    """Features that a text makes fire more than usual: its strongest firing as a share of the survey's, times rarity.

    Raises:
        InputError: the text is empty or too long.
    """
    values, tokens = _firing(subject, dictionary, text)
    peak = values.max(0)
    scores = _weighed(index, peak)
    best = np.argsort(-scores, kind="stable")[:count]
    return tuple(
        Hit(
            feature=int(f),
            score=float(scores[f]),
            why=f"{peak[f]:.2f} on {tokens[int(values[:, f].argmax())]!r}, {_share(index, int(f), peak[f])}",
            label=_label(labels, int(f)),
        )
        for f in best
        if scores[f] > 0
    )


def by_contrast(
    index: FeatureIndex,
    labels: Mapping[int, ScoredLabel],
    subject: LanguageSubject,
    dictionary: Dictionary,
    texts: tuple[str, str],
    count: int = 20,
) -> tuple[Hit, ...]:
    """Features that fire in the first text rather than the second (score above 0), or the reverse (below 0).

    One text each way is an observation, not a measurement: the scanner's instruments compare many.

    Raises:
        InputError: a text is empty or too long.
    """
    first, second = (_firing(subject, dictionary, text)[0] for text in texts)
    scores = _weighed(index, first.mean(0)) - _weighed(index, second.mean(0))
    best = np.argsort(-np.abs(scores), kind="stable")[:count]
    return tuple(
        Hit(
            feature=int(f),
            score=float(scores[f]),
            why=f"mean {first.mean(0)[f]:.2f} in the first, {second.mean(0)[f]:.2f} in the second",
            label=_label(labels, int(f)),
        )
        for f in best
        if scores[f] != 0
    )


def _firing(subject: LanguageSubject, dictionary: Dictionary, text: str) -> tuple[Floats, tuple[str, ...]]:
    """[token, n_features] codes of a text without its first token, and its tokens."""
    import torch

    from brainscan.activations.capture import capture
    from brainscan.dictionary.dictionary import side_by_side
    from brainscan.dictionary.fit import check_fit

    ids = subject.tokens(text)
    if len(ids) < 2:
        raise InputError("The text is a single token.", "Give a longer text.")
    check_fit(subject, dictionary)
    captured = capture(subject, [ids], dictionary.reads)
    x = side_by_side({str(site): held.values.flatten(1) for site, held in captured.items()}, dictionary.reads)
    with torch.no_grad():
        return dictionary.encode(x[1:]).numpy(), subject.pieces(ids[1:])


def _weighed(index: FeatureIndex, values: Floats) -> Floats:
    """Values as shares of the largest in the survey, times the logarithm of rarity; 0 for what never fired there."""
    share = np.divide(values, index.maxima, out=np.zeros(len(values)), where=index.maxima > 0)
    return share * np.log(1 / np.clip(index.rates, 1 / max(index.about.counted, 1), 1))


def _share(index: FeatureIndex, feature: int, value: float) -> str:
    largest = float(index.maxima[feature])
    return f"{value / largest:.0%} of its largest in the survey" if largest else "never fired in the survey"


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _label(labels: Mapping[int, ScoredLabel], feature: int) -> str:
    return labels[feature].label.text if feature in labels else ""


def _label_words(labels: Mapping[int, ScoredLabel], feature: int) -> set[str]:
    return _words(_label(labels, feature))


def _top_tokens(index: FeatureIndex, feature: int) -> set[str]:
    return set().union(*(_words(e.tokens[e.peak]) for e in strongest(index, feature, _TOP_TOKENS, around=0)))


def _raised(index: FeatureIndex, feature: int) -> set[str]:
    ids: Ints = np.asarray(index.logits.raised[feature])
    return set().union(*(_words(token) for token in index.text(ids))) if len(ids) else set()
