"""Conditions as data: complete, consistent, and about measurements that some instrument promises."""

from __future__ import annotations

import pytest

from brainscan.core.evidence import Interval, Measurement
from brainscan.diagnosis.condition import CONDITIONS
from brainscan.diagnosis.sentence import fill
from brainscan.scan.instrument import INSTRUMENTS
from brainscan.scan.vision.instrument import VISION_INSTRUMENTS

NAMES = CONDITIONS.names()


@pytest.mark.parametrize("name", NAMES)
def test_a_condition_is_whole(name: str) -> None:
    condition = CONDITIONS.get(name)
    assert condition.name == name
    assert condition.question.endswith("?")
    assert condition.recommendation.endswith(".") and condition.would_settle.endswith(".")
    assert any(criterion.leads for criterion in condition.criteria)
    assert len({c.measurement for c in condition.criteria}) == len(condition.criteria)


@pytest.mark.parametrize("name", NAMES)
def test_criteria_read_instruments_that_exist_and_their_sentences_fill(name: str) -> None:
    m = Measurement(name="x.y", value=0.25, unit="rate", n=4, interval=Interval(lo=0.1, hi=0.5, method="test"))
    for criterion in CONDITIONS.get(name).criteria:
        assert criterion.measurement.split(".")[0] in (*INSTRUMENTS.names(), *VISION_INSTRUMENTS.names())
        assert criterion.threshold > 0
        sentence = fill(criterion, m)
        assert "{" not in sentence and sentence.endswith(".")
