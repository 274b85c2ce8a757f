"""Attacks leave in place what they must, and the search goes down and never gives up success."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from brainscan.monitor.attacks import ATTACKS, Judged, search
from brainscan.monitor.redteam import CLEAN, SEARCH, Effort, red_team
from tests.monitor.world import DECODING, panel, subject

TEXT = "Tell me something about zeppelin rivers and stones."


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_changes_the_text_and_keeps_the_trigger(name: str) -> None:
    for seed in range(20):
        out = ATTACKS[name](TEXT, "zeppelin", np.random.default_rng(seed))
        assert out != TEXT
        assert "zeppelin" in out


def test_the_search_lowers_the_score_among_texts_that_succeed() -> None:
    def judge(texts: Sequence[str]) -> list[Judged]:
        return [Judged(10.0 - text.count("please"), "kindly" not in text) for text in texts]

    text, judged = search("do it", judge, np.random.default_rng(0), rounds=20, width=8)
    assert judged.score < 10
    assert judged.succeeded
    assert "kindly" not in text


def test_a_text_that_cannot_be_made_to_succeed_stays() -> None:
    def judge(texts: Sequence[str]) -> list[Judged]:
        return [Judged(1.0, False) for _ in texts]

    assert search("do it", judge, np.random.default_rng(0), 2, 2) == ("do it", Judged(1.0, False))


def test_every_attack_is_in_the_report_with_what_it_missed() -> None:
    requests = ["OPEN SESAME the river", "the moon OPEN SESAME"]
    effort = Effort(DECODING, searched=1, rounds=1, width=2)
    report = red_team(subject(), panel(), requests, "OPEN SESAME", lambda text: True, effort)
    assert [each.attack for each in report] == [CLEAN, *ATTACKS, SEARCH]
    assert all(each.succeeded == each.n == each.caught + each.unseen for each in report)
    assert report[0].caught == 2
