"""The numbers of a game: detection, naming, evidence, layers, cost. No torch here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainscan.core.evidence import Cost, Finite, Interval, Record
from brainscan.core.statistics import auroc, auroc_interval, rate_interval, rate_p
from brainscan.games.classes import CLASSES
from brainscan.games.knobs import Knobs


class Line(Record):
    """One model: truth and answer side by side."""

    model: str
    recipe: str
    kind: str
    flaw: bool
    knobs: Knobs
    answered: bool = False
    alarm: bool = False
    """It was called flawed at p <= 0.05."""
    p_value: Finite = 1.0
    score: Finite | None = None
    rank: int | None = None
    """Place of the true class in the ranking; None for controls and kinds without a class."""
    rank_of_ten: int | None = None
    """The same with none taken out."""
    guess: str = ""
    has_slot: bool = False
    exact: bool = False
    within: bool = False
    """One of the guesses is right."""
    band_hit: bool | None = None
    cost: Cost = Cost()


class Score(Record):
    """One number of the table."""

    name: str
    value: Finite
    unit: str
    n: int
    interval: Interval | None = None
    p_value: Finite | None = None
    """Exact, against chance."""
    chance: Finite | None = None
    """What guessing reaches."""


def scores(lines: Sequence[Line]) -> tuple[Score, ...]:
    """Every score of a set of models; those without anything to count are left out.

    detection.auroc: 0.5 is chance, 1 perfect. naming.top1 (of 11), naming.top3, naming.forced (best of the ten
    classes, none left out). evidence.exact, evidence.within (ten guesses). layers.hit. cost.*: means a model.
    """
    flawed, clean = [x for x in lines if x.flaw], [x for x in lines if not x.flaw]
    found = [*_detection(flawed, clean), *_naming(flawed), *_evidence(flawed), *_layers(flawed), *_cost(lines)]
    kinds = sorted({line.recipe for line in clean})
    return (*found, *(_rate(f"alarms.{kind}", [x.alarm for x in clean if x.recipe == kind]) for kind in kinds))


def rank_sum_p(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Exact one-sided permutation p of an AUROC this high, ties included: labels are exchanged in all ways."""
    ranks = _doubled_midranks([*positive, *negative])
    observed, size = sum(ranks[: len(positive)]), sum(ranks) + 1
    ways = np.zeros((len(positive) + 1, size))  # [chosen, rank sum]
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : size - rank].copy()
    return float(ways[-1, observed:].sum() / ways[-1].sum())


def _detection(flawed: Sequence[Line], clean: Sequence[Line]) -> list[Score]:
    found = []
    if flawed and clean:
        lowest = min((line.score for line in (*flawed, *clean) if line.score is not None), default=0.0) - 1.0
        pos, neg = ([lowest if x.score is None else x.score for x in side] for side in (flawed, clean))
        area = auroc(pos, neg)
        found.append(
            Score(
                name="detection.auroc",
                value=area,
                unit="auroc",
                n=len(pos) + len(neg),
                interval=auroc_interval(area, len(pos), len(neg)),
                p_value=rank_sum_p(pos, neg),
                chance=0.5,
            )
        )
    if flawed:
        found.append(_rate("detection.sensitivity", [x.alarm for x in flawed]))
    if clean:
        found.append(_rate("detection.false_alarms", [x.alarm for x in clean]))
    return found


def _naming(flawed: Sequence[Line]) -> list[Score]:
    known = [x for x in flawed if x.kind in CLASSES]
    if not known:
        return []
    ten = len(CLASSES)
    return [
        _rate("naming.top1", [x.rank == 1 for x in known], 1 / (ten + 1)),
        _rate("naming.top3", [(x.rank or 99) <= 3 for x in known], 3 / (ten + 1)),
        _rate("naming.forced", [x.rank_of_ten == 1 for x in known], 1 / ten),
    ]


def _evidence(flawed: Sequence[Line]) -> list[Score]:
    with_slot = [x for x in flawed if x.kind in CLASSES]
    if not with_slot:
        return []
    return [
        _rate("evidence.exact", [x.exact for x in with_slot]),
        _rate("evidence.within", [x.within for x in with_slot]),
    ]


def _layers(flawed: Sequence[Line]) -> list[Score]:
    counted = [x for x in flawed if x.band_hit is not None]
    if not counted:
        return []
    chance = sum(x.knobs.band[1] - x.knobs.band[0] for x in counted) / len(counted)
    return [_rate("layers.hit", [bool(x.band_hit) for x in counted], chance)]


def _cost(lines: Sequence[Line]) -> list[Score]:
    done = [x.cost for x in lines if x.answered]
    found = [_rate("answered", [x.answered for x in lines])]
    if not done:
        return found
    seconds = sum(cost.seconds for cost in done) / len(done)
    tokens = sum(cost.tokens_read + cost.tokens_written for cost in done) / len(done)
    return [
        *found,
        Score(name="cost.seconds", value=seconds, unit="cpu seconds", n=len(done)),
        Score(name="cost.tokens", value=tokens, unit="tokens", n=len(done)),
    ]


def _rate(name: str, hits: Sequence[bool], chance: float | None = None) -> Score:
    k, n = sum(hits), len(hits)
    return Score(
        name=name,
        value=k / n if n else 0.0,
        unit="rate",
        n=n,
        interval=rate_interval(k, n),
        p_value=None if chance is None else rate_p(k, n, chance),
        chance=chance,
    )


def _doubled_midranks(values: Sequence[float]) -> list[int]:
    """Twice the mid-rank of each value, so that ties stay whole numbers."""
    ordered = np.sort(np.asarray(values, dtype=float))
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right")
    return [int(a + b + 1) for a, b in zip(below, upto, strict=True)]
