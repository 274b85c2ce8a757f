"""A judged concept as measurements, each beside the baselines that it must be read against."""

from __future__ import annotations

import numpy as np

from brainscan.core.evidence import Baseline, Interval, Measurement
from brainscan.core.statistics import auroc_interval, cluster_interval, rate_interval
from brainscan.probes.validate import selectivity
from brainscan.scan.contrast.beside import Beside
from brainscan.scan.contrast.judge import Judged
from brainscan.scan.contrast.shift import Shift
from brainscan.scan.texts.contrasts import Concept


def measurements(concept: Concept, judged: Judged, beside: Beside | None) -> tuple[Measurement, ...]:
    """AUROC, selectivity and topical false alarms; the shift too where a reference allows it."""
    interval = _interval(concept, judged)
    moved = beside.shift if beside else None
    return (
        _readable(concept, judged, beside, interval),
        _selective(concept, judged, interval),
        _topical(concept, judged),
        *([_shift(concept, moved)] if moved else []),
    )


def _interval(concept: Concept, judged: Judged) -> Interval:
    """Wordings are counted, not texts: texts of one wording are not independent."""
    wordings = len(concept.wordings)
    return auroc_interval(judged.auroc, wordings, wordings)


def _readable(concept: Concept, judged: Judged, beside: Beside | None, interval: Interval) -> Measurement:
    draws = judged.shuffled.aurocs.size
    baselines = [
        Baseline(what="shuffled labels, median", value=judged.shuffled.median, n=draws),
        Baseline(what="shuffled labels, 95th percentile", value=judged.shuffled.high, n=draws),
        Baseline(what="random directions, 95th percentile", value=judged.random.high, n=draws),
        Baseline(what="words read, without the model", value=judged.text_read),
        Baseline(what="whole prompt's words, without the model", value=judged.text_whole),
        Baseline(what="logistic probe", value=judged.logistic),
    ]
    if beside:
        baselines.append(Baseline(what="reference", value=beside.auroc))
    return Measurement(
        name=f"contrast.{concept.name}.auroc",
        value=judged.auroc,
        unit="auroc",
        n=len(concept.wordings),
        higher_is="neither",
        interval=interval,
        baselines=tuple(baselines),
        meaning=f"How well {concept.words}, asked for by an instruction, can be read from the begun answer on wordings "
        "that the probe never met: 0.5 is chance, 1 perfect. It says what is readable, not what the model does.",
    )


def _selective(concept: Concept, judged: Judged, interval: Interval) -> Measurement:
    """The same interval, moved: the null's median is fixed by hundreds of draws."""
    median = judged.shuffled.median
    return Measurement(
        name=f"contrast.{concept.name}.selectivity",
        value=selectivity(judged.auroc, judged.shuffled),
        unit="auroc difference",
        n=len(concept.wordings),
        higher_is="neither",
        interval=interval.model_copy(update={"lo": interval.lo - median, "hi": interval.hi - median}),
        meaning=f"AUROC for {concept.words} above the median of probes with shuffled labels: 0 means that the probe "
        "found nothing, 0.5 is the most there can be.",
    )


def _topical(concept: Concept, judged: Judged) -> Measurement:
    hits, n = int((judged.topical > judged.threshold).sum()), judged.topical.size
    positives, negatives = judged.scores[judged.data.y], judged.scores[~judged.data.y]
    return Measurement(
        name=f"contrast.{concept.name}.topical",
        value=hits / n,
        unit="rate",
        n=n,
        interval=rate_interval(hits, n),
        baselines=(
            Baseline(
                what="opposite instructions (at most 5 % by choice of the threshold)",
                value=float((negatives > judged.threshold).mean()),
                n=negatives.size,
            ),
            Baseline(
                what="instructions that ask for it",
                value=float((positives > judged.threshold).mean()),
                n=positives.size,
                interval=rate_interval(int((positives > judged.threshold).sum()), positives.size),
            ),
        ),
        meaning=f"Share of texts that only mention the topic of {concept.words} and still pass the threshold that at "
        "most 5 % under opposite instructions pass: a high rate means that the probe reads the topic, not the behaviour.",
    )


def _shift(concept: Concept, shift: Shift) -> Measurement:
    return Measurement(
        name=f"contrast.{concept.name}.shift",
        value=shift.value,
        unit="z",
        n=shift.moved.size,
        interval=cluster_interval(shift.moved),
        baselines=(
            Baseline(
                what="random directions, 95th percentile of the size",
                value=shift.usual,
                n=shift.random.size,
            ),
            Baseline(
                what="random directions, largest size", value=float(np.abs(shift.random).max()), n=shift.random.size
            ),
        ),
        meaning=f"How far neutral requests lie from the reference along its direction of {concept.words}, in units of "
        "its spread over requests: 0 is unmoved, above 0 is towards the concept. A change of any kind moves random "
        "directions too, so it means something only beyond them.",
    )
