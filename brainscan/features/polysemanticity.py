"""Is one unit one thing? Neurons against dictionary features: the same texts, the same labeller, the same scores.

A unit that mixes unrelated things cannot be told by one label, so the detection score of a label on
held-out text measures how far a unit is from one thing. It is a lower bound: a unit may be one thing that
this labeller cannot say. Each neuron fires where it is among the strongest values of its own, as often as
a feature does on average, so that neither side is rarer than the other. Source of the question: Elhage et
al. 2022, "Toy Models of Superposition"; of the comparison: Bricken et al. 2023, section "Interpretability".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from brainscan.activations.capture import capture
from brainscan.core.evidence import Interval, Record
from brainscan.core.statistics import cluster_interval
from brainscan.dictionary.dictionary import Dictionary
from brainscan.features.index import FeatureIndex
from brainscan.features.label import EvidenceLabeller
from brainscan.features.score import Protocol, Summary, label_features, summarise
from brainscan.subject.language import LanguageSubject

Progress = Callable[[float, str], None]


class Polysemanticity(Record):
    """Features and neurons beside each other."""

    features: Summary
    neurons: Summary
    gain: float
    """Mean detection of all features minus that of all neurons, units without a label at chance (0.5): -0.5 to 0.5."""
    gain_interval: Interval
    rate: float
    """Share of tokens on which a unit fires on average, 0 to 1."""


def neurons(subject: LanguageSubject, site: str, texts: Sequence[Sequence[int]], rate: float) -> Dictionary:
    """The single dimensions of a site as a dictionary whose codes are their values above a threshold.

    Args:
        site: what is read, as ``mlp_act.15``.
        texts: rows of token ids; the threshold of each neuron is the quantile 1 - ``rate`` of its values on them,
            and never below 0, since a firing is a positive value.
        rate: share of tokens on which a neuron shall fire.
    """
    held = capture(subject, [list(row) for row in texts], [site])
    x = torch.cat([row.flatten(1)[1:] for activations in held.values() for row in activations.rows])  # [n, d]
    kept = max(1, round(rate * len(x)))
    threshold = x.topk(min(kept + 1, len(x)), dim=0).values[-1].clamp(min=0)
    eye = torch.eye(x.shape[1])
    return Dictionary(
        kind="neurons",
        activation="jumprelu",
        W_enc=eye,
        W_dec=eye,
        b_enc=torch.zeros(x.shape[1]),
        b_dec=torch.zeros(x.shape[1]),
        threshold=threshold.float(),
        reads=(site,),
        writes=(site,),
    )


def mean_rate(index: FeatureIndex) -> float:
    """How often a feature that fires at all fires on average."""
    rates = index.rates[index.alive()]
    return float(rates.mean()) if len(rates) else 0.0


def compare(
    features: FeatureIndex,
    singles: FeatureIndex,
    sample: int,
    seed: int = 0,
    progress: Progress = lambda fraction, words: None,
) -> Polysemanticity:
    """Label and score as many units of both, drawn at random from those that fired.

    Args:
        features: survey of the dictionary. singles: survey of ``neurons`` on the same texts.
    """
    scores: list[list[float]] = []
    summaries: list[Summary] = []
    for place, index in enumerate((features, singles)):
        alive = index.alive()
        drawn = np.random.default_rng(seed).choice(alive, min(sample, len(alive)), replace=False)
        scored = label_features(
            index,
            [int(f) for f in np.sort(drawn)],
            EvidenceLabeller(index),
            Protocol(seed=seed),
            progress=lambda share, words, place=place: progress((place + share) / 2, words),
        )
        summaries.append(summarise(scored, EvidenceLabeller.name))
        scores.append([s.detection.value if s.label.text else 0.5 for s in scored if s.detection])
    gain, interval = _gain(scores[0], scores[1])
    return Polysemanticity(
        features=summaries[0], neurons=summaries[1], gain=gain, gain_interval=interval, rate=mean_rate(features)
    )


def _gain(ours: list[float], theirs: list[float]) -> tuple[float, Interval]:
    """Difference of means, with units left out on both sides in turn."""
    rows = np.array([*((value, 1.0) for value in ours), *((value, 0.0) for value in theirs)])  # [unit, (score, whose)]

    def gap(rows: np.ndarray) -> float:
        first, second = rows[rows[:, 1] > 0, 0], rows[rows[:, 1] == 0, 0]
        return float(first.mean() - second.mean()) if len(first) and len(second) else 0.0

    return gap(rows), cluster_interval(rows, None, gap)
