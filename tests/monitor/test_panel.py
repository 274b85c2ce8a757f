"""A monitor that cannot be trusted fails closed, and cascades look only where they are to."""

from __future__ import annotations

import itertools

import pytest
import torch

from brainscan.core.errors import UsageError
from brainscan.monitor.panel import Panel, check_cascade
from brainscan.monitor.reader import Seen
from brainscan.monitor.record import Rule
from brainscan.monitor.run import watch_all
from tests.monitor.world import DECODING, fitted, panel, prompts, subject


class Broken:
    """A reader that raises, or gives what is no number, from its n-th look on."""

    def __init__(self, fault: str, after: int) -> None:
        self.fault, self.left = fault, after

    def score(self, seen: Seen) -> torch.Tensor:
        self.left -= 1
        if self.left >= 0:
            return torch.zeros(seen.positions.shape)
        if self.fault == "raises":
            raise RuntimeError("no reading today")
        return torch.full(seen.positions.shape, float(self.fault))


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize("fault", ["raises", "nan", "inf"])
def test_a_rule_that_fails_ends_the_answer_and_says_so(fault: str, after: int) -> None:
    broken = panel("log")
    broken.readers["probe"] = Broken(fault, after)  # type: ignore[assignment]
    answer = watch_all(subject(), broken, prompts(1, 21), DECODING)[0]
    assert answer.verdict.outcome == "failed"
    assert answer.ended == "monitor"
    assert len(answer.ids) == max(0, after - 1)
    assert "The rule probe" in (answer.verdict.failure or "")


def test_a_rule_that_takes_too_long_fails_closed() -> None:
    ticks = itertools.count(0.0, 3.0)
    slow = Panel(*fitted("log"), clock=lambda: next(ticks))
    answer = watch_all(subject(), slow, prompts(1, 22), DECODING)[0]
    assert (answer.verdict.outcome, answer.ids) == ("failed", ())
    assert "took 3,000 ms and may take 2,000" in (answer.verdict.failure or "")


def test_a_failing_row_does_not_take_the_others_with_it() -> None:
    class HalfBroken(Broken):
        def score(self, seen: Seen) -> torch.Tensor:
            scores = torch.zeros(seen.positions.shape)
            scores[1] = float("nan")
            return scores

    broken = panel("log")
    broken.readers["probe"] = HalfBroken("nan", 0)  # type: ignore[assignment]
    answers = watch_all(subject(), broken, prompts(3, 23), DECODING)
    failed = [answer.verdict.outcome == "failed" for answer in answers]
    assert sum(failed) == 1
    assert all(answer.ids for answer, bad in zip(answers, failed, strict=True) if not bad)


def test_the_second_stage_reads_only_what_the_first_passes_up() -> None:
    monitor, arrays = fitted()
    assert monitor.calibrated["second"].gate is not None
    answers = watch_all(subject(), Panel(monitor, arrays), prompts(60, 24), DECODING)
    looked = 0
    for answer in answers:
        cheap, dear = (next(r for r in answer.verdict.readings if r.rule == name) for name in ("distance", "second"))
        calibrated = monitor.calibrated["distance"]
        passed = cheap.score is not None and cheap.score * calibrated.scale + calibrated.centre > (
            monitor.calibrated["second"].gate or 0
        )
        assert (dear.score is not None) == passed
        looked += passed
    assert 0 < looked < 30


def test_a_cascade_that_cannot_be_is_refused() -> None:
    cheap = Rule(name="a", kind="certainty", title="")
    with pytest.raises(UsageError, match="is no rule that reads every answer"):
        check_cascade((cheap, Rule(name="b", kind="distance", title="", sites=("resid_post.1",), after="c")))
    with pytest.raises(UsageError, match="has no sites"):
        check_cascade((cheap, Rule(name="b", kind="certainty", title="", after="a")))
    with pytest.raises(UsageError, match="one name"):
        check_cascade((cheap, cheap))
