"""The features of a survey as one page: labels with their scores, examples, histogram, logits, neighbours.

Complete without script and without network, like the scan's page, and made of the same parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from brainscan.core.evidence import Record
from brainscan.core.provenance import brainscan_version
from brainscan.features.examples import Example, histogram, stratified, strongest
from brainscan.features.index import FeatureIndex
from brainscan.features.score import Score, ScoredLabel
from brainscan.report.figures.histogram import draw_histogram
from brainscan.report.page import assemble
from brainscan.report.shown import coloured, plain_token
from brainscan.report.words import number

MOST = 60
"""Features on one page; the page says how many it leaves out."""
_STRONGEST, _SLICES, _EACH, _LISTED = 6, 5, 2, 10


class Weighed(Record):
    """A token or feature with a number, as printed."""

    name: str
    value: str


@dataclass(frozen=True)
class ExampleView:
    """One example with its tokens shaded on the feature's own scale."""

    example: Example
    tokens: Markup


@dataclass(frozen=True)
class FeatureView:
    """Everything that the page shows of one feature."""

    number: int
    scored: ScoredLabel | None
    scores: tuple[Weighed, ...]
    rate: float
    firings: int
    largest: float
    bars: Markup
    raised: tuple[Weighed, ...]
    lowered: tuple[Weighed, ...]
    neighbours: tuple[Weighed, ...]
    strongest: tuple[ExampleView, ...]
    slices: tuple[tuple[ExampleView, ...], ...]
    """Random examples from equal slices of the firings, strongest slice first."""


def features_html(index: FeatureIndex, labels: Mapping[int, ScoredLabel], features: Sequence[int]) -> str:
    """The page of these features, at most ``MOST`` of them, in the order given.

    Raises:
        UsageError: a number is no feature.
    """
    shown = tuple(feature_view(index, labels.get(f), f) for f in features[:MOST])
    return assemble(
        "features.html.j2",
        about=index.about,
        views=shown,
        left_out=max(0, len(features) - MOST),
        alive=len(index.alive()),
        texts=index.tokens.shape[0],
        version=brainscan_version(),
    )


def feature_view(index: FeatureIndex, scored: ScoredLabel | None, feature: int) -> FeatureView:
    """One feature, ready to print."""
    _, values = index.firings(feature)
    logits, near = index.logits, index.neighbours
    largest = float(index.maxima[feature])
    return FeatureView(
        number=feature,
        scored=scored,
        scores=_scores(scored),
        rate=float(index.rates[feature]),
        firings=len(values),
        largest=largest,
        bars=draw_histogram(histogram(index, feature)),
        raised=_tokens(index, logits.raised[feature], logits.raised_by[feature]),
        lowered=_tokens(index, logits.lowered[feature], logits.lowered_by[feature]),
        neighbours=tuple(
            Weighed(name=str(int(f)), value=number(float(c), signed=True))
            for f, c in zip(near.features[feature][:_LISTED], near.cosines[feature][:_LISTED], strict=True)
        ),
        strongest=tuple(_example(e) for e in strongest(index, feature, _STRONGEST)),
        slices=tuple(tuple(_example(e) for e in part) for part in stratified(index, feature, bins=_SLICES, each=_EACH)),
    )


def _scores(scored: ScoredLabel | None) -> tuple[Weighed, ...]:
    if scored is None or not scored.label.text:
        return ()
    named: dict[str, Score | None] = {
        "detection": scored.detection,
        "against its neighbour": scored.against_neighbour,
        "fuzzing": scored.fuzzing,
        "another feature's label": scored.borrowed,
    }
    return tuple(
        Weighed(name=name, value=f"{s.value:.2f} [{s.interval.lo:.2f}, {s.interval.hi:.2f}], n = {s.n}")
        if s
        else Weighed(name=name, value="not scored: too little text")
        for name, s in named.items()
    )


def _tokens(index: FeatureIndex, ids: np.ndarray, values: np.ndarray) -> tuple[Weighed, ...]:
    names = index.text(np.asarray(ids[:_LISTED]))
    return tuple(
        Weighed(name=plain_token(name, 24), value=number(float(value), signed=True))
        for name, value in zip(names, values[:_LISTED], strict=True)
    )


def _example(example: Example) -> ExampleView:
    return ExampleView(example, coloured(example.tokens, example.values).markup)
