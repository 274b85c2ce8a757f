"""Scores of a label on text that its labeller never saw.

Detection: of windows half of which make the feature fire, how many does a reader of the label alone sort
rightly (0.5 is chance, 1 perfect). The quiet half is random, or, harder, windows on which the nearest
neighbour fires. Fuzzing: firing windows with the firing tokens marked, or as many others: does the
label fit the marks. Source: Paulo et al. 2024 (2410.13928), sections 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brainscan.core.evidence import Interval, Record
from brainscan.core.statistics import cluster_interval, rate_interval
from brainscan.features.clauses import Bools
from brainscan.features.examples import Windows, firing_windows, silent_windows, window_count, windows_of
from brainscan.features.index import FeatureIndex
from brainscan.features.label import Label, Labeller, Lesson

KEPT = 5
"""Features between two moments at which labels are handed on."""
_FEW = 4


class Score(Record):
    """Share of windows sorted rightly, half of them of each sort."""

    value: float
    n: int
    interval: Interval


class ScoredLabel(Record):
    """A label with its scores on held-out text; a score is None where too little text was left."""

    label: Label
    detection: Score | None
    """Against random windows on which the feature is silent."""
    against_neighbour: Score | None
    """Against windows on which the nearest neighbour fires and the feature does not."""
    fuzzing: Score | None
    borrowed: Score | None
    """Baseline: detection with the label of another feature, drawn at random."""
    neighbour: int | None


class Summary(Record):
    """Scores over many features, with the interval over features."""

    labeller: str
    drawn: int
    """Features that were looked at."""
    labelled: int
    """Of those, how many got a label."""
    detection: float | None
    """Mean over labelled features; chance is 0.5."""
    detection_interval: Interval | None
    detection_of_all: float | None
    """Mean over all that could be scored, an empty label counted as chance."""
    against_neighbour: float | None
    fuzzing: float | None
    borrowed: float | None


@dataclass(frozen=True)
class Protocol:
    """How much text labels are proposed and scored on."""

    learn: int = 400
    """Firing windows to propose from; of silent ones, which cost little and show false alarms, three times as many."""
    test: int = 50
    """Windows of each sort to score on."""
    seed: int = 0


def label_features(
    index: FeatureIndex,
    features: Sequence[int],
    labeller: Labeller,
    protocol: Protocol | None = None,
    *,
    keep: Callable[[Sequence[ScoredLabel]], object] = lambda labels: None,
    progress: Callable[[float, str], None] = lambda fraction, words: None,
) -> tuple[ScoredLabel, ...]:
    """Propose a label for each feature on the first half of the survey and score it on the second.

    The halves are other documents, but for one that may lie across the middle.

    Args:
        keep: is handed the newest labels every ``KEPT`` features, first unscored and then with their scores, so
            that a run that is stopped has not asked for nothing.

    Raises:
        UsageError: a number is no feature.
    """
    protocol = protocol or Protocol()
    labels = []
    for done, feature in enumerate(features, 1):
        labels.append(labeller.propose(lesson_of(index, feature, protocol)))
        if done % KEPT == 0:
            keep([_unscored(label) for label in labels[-KEPT:]])
        progress(0.6 * done / len(features), f"{done} of {len(features)} labels proposed")
    scored = []
    for done, label in enumerate(labels, 1):
        other = _borrowed(labels, done - 1, protocol.seed)
        scored.append(_score(index, label, other, labeller, protocol))
        if done % KEPT == 0:
            keep(scored[-KEPT:])
        progress(0.6 + 0.4 * done / len(labels), f"{done} of {len(labels)} labels scored")
    return tuple(scored)


def lesson_of(index: FeatureIndex, feature: int, protocol: Protocol) -> Lesson:
    """What a labeller is shown of a feature.

    Raises:
        UsageError: there is no such feature.
    """
    index.check(feature)
    half = window_count(index) // 2
    rng = np.random.default_rng([protocol.seed, feature, 0])
    firing = _spread(firing_windows(index, feature, 0, half), protocol.learn)
    silent = silent_windows(index, feature, 0, half, 3 * protocol.learn, rng)
    raised = tuple(index.text(np.asarray(index.logits.raised[feature])))
    return Lesson(feature, firing, silent, raised)


def summarise(scored: Sequence[ScoredLabel], labeller: str) -> Summary:
    """Means over features."""
    labelled = [each for each in scored if each.label.text and each.detection]
    detections = [each.detection.value for each in labelled if each.detection]
    everything = [each.detection.value if each.label.text else 0.5 for each in scored if each.detection]
    return Summary(
        labeller=labeller,
        drawn=len(scored),
        labelled=len(labelled),
        detection=_mean(detections),
        detection_interval=cluster_interval(detections, within=(0.0, 1.0)) if len(detections) > 1 else None,
        detection_of_all=_mean(everything),
        against_neighbour=_mean([each.against_neighbour.value for each in labelled if each.against_neighbour]),
        fuzzing=_mean([each.fuzzing.value for each in labelled if each.fuzzing]),
        borrowed=_mean([each.borrowed.value for each in labelled if each.borrowed]),
    )


def _unscored(label: Label) -> ScoredLabel:
    return ScoredLabel(label=label, detection=None, against_neighbour=None, fuzzing=None, borrowed=None, neighbour=None)


def _score(index: FeatureIndex, label: Label, other: Label | None, labeller: Labeller, how: Protocol) -> ScoredLabel:
    half, end = window_count(index) // 2, window_count(index)
    rng = np.random.default_rng([how.seed, label.feature, 1])
    firing = _spread(firing_windows(index, label.feature, half, end), how.test)
    silent = silent_windows(index, label.feature, half, end, how.test, rng)
    near = _nearest(index, label.feature)
    hard = None if near is None else _only_neighbour(index, label.feature, near, half, end)
    return ScoredLabel(
        label=label,
        detection=_detection(labeller, label, firing, silent),
        against_neighbour=_detection(labeller, label, firing, hard) if hard is not None else None,
        fuzzing=_fuzzing(labeller, label, firing, rng),
        borrowed=_detection(labeller, other, firing, silent) if other else None,
        neighbour=near,
    )


def _detection(labeller: Labeller, label: Label, firing: Windows, silent: Windows) -> Score | None:
    n = min(len(firing), len(silent))
    if n < _FEW:
        return None
    firing, silent = _spread(firing, n), silent.take(np.arange(n))
    if not label.text:
        return _rate(n, 2 * n)
    hits = int(labeller.detects(label, firing).sum()) + int((~labeller.detects(label, silent)).sum())
    return _rate(hits, 2 * n)


def _fuzzing(labeller: Labeller, label: Label, firing: Windows, rng: np.random.Generator) -> Score | None:
    """Each window twice: once with the firing tokens marked, once with as many that do not fire."""
    fired = firing.values > 0
    room = 2 * fired.sum(1) <= fired.shape[1]
    kept, fired = firing.take(np.flatnonzero(room)), fired[room]
    if len(kept) < _FEW:
        return None
    if not label.text:
        return _rate(len(kept), 2 * len(kept))
    wrong = _as_many_others(fired, rng)
    hits = int(labeller.fits(label, kept, fired).sum()) + int((~labeller.fits(label, kept, wrong)).sum())
    return _rate(hits, 2 * len(kept))


def _as_many_others(fired: Bools, rng: np.random.Generator) -> Bools:
    order = np.where(fired, 2.0, rng.random(fired.shape)).argsort(axis=1).argsort(axis=1)
    return order < fired.sum(1, keepdims=True)


def _only_neighbour(index: FeatureIndex, feature: int, near: int, lo: int, hi: int) -> Windows:
    """Windows on which the neighbour fires and the feature does not, the neighbour's strongest first."""
    own = firing_windows(index, feature, lo, hi).numbers
    theirs = firing_windows(index, near, lo, hi).numbers[::-1]
    return windows_of(index, feature, theirs[~np.isin(theirs, own)])


def _nearest(index: FeatureIndex, feature: int) -> int | None:
    """The most similar feature that ever fired."""
    near = [int(f) for f in index.neighbours.features[feature] if index.rates[int(f)] > 0]
    return near[0] if near else None


def _borrowed(labels: Sequence[Label], place: int, seed: int) -> Label | None:
    others = [i for i, label in enumerate(labels) if i != place and label.text]
    rng = np.random.default_rng([seed, place, 2])
    return labels[int(rng.choice(others))] if others else None


def _spread(windows: Windows, count: int) -> Windows:
    """``count`` of them, evenly over their strengths."""
    if len(windows) <= count:
        return windows
    return windows.take(np.linspace(0, len(windows) - 1, count).round().astype(int))


def _rate(hits: int, n: int) -> Score:
    return Score(value=hits / n, n=n, interval=rate_interval(hits, n))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
