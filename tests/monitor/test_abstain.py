"""Under a guarantee an answer is judged when it is whole; one beyond what was tested is never given."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import pytest

from brainscan.core.errors import UsageError
from brainscan.monitor.abstain import NAME, Abstainer, Asked, with_guarantee
from brainscan.monitor.guarantee import Bound
from brainscan.monitor.record import Arrays, Guarantee, Monitor, read_monitor, sealed, write_monitor
from brainscan.monitor.run import Run, watch_all
from brainscan.subject.generate import Decoding
from tests.monitor.world import DECODING, fitted, panel, prompts, subject


@functools.cache
def guaranteed() -> tuple[Monitor, Arrays]:
    """A monitor whose questions the phantom answers "rightly" when its greedy answer has an even sum of tokens."""
    given = prompts(120, 61)
    answers = watch_all(subject(), panel("log"), given, DECODING, enforce=False)
    asked = [
        Asked(prompt, (answer.text,) if sum(answer.ids) % 2 == 0 else ("never said",))
        for prompt, answer in zip(given, answers, strict=True)
    ]
    return with_guarantee(subject(), *fitted("log"), asked, Bound(0.2))


def test_the_guarantee_is_in_the_sealed_file(tmp_path: Path) -> None:
    monitor, arrays = guaranteed()
    again, held = read_monitor(_written(tmp_path, monitor, arrays))
    assert again.guarantee == monitor.guarantee
    assert {name for name in held if name.startswith(f"{NAME}.")} == {
        f"{NAME}.{key}" for key in ("weights", "second", "numbers")
    }


def _written(folder: Path, monitor: Monitor, arrays: Arrays) -> Path:
    write_monitor(folder / "m", monitor, arrays)
    return folder / "m"


def with_threshold(threshold: float | None) -> Abstainer:
    """The abstainer at a threshold of one's own."""
    monitor, arrays = guaranteed()
    assert isinstance(monitor.guarantee, Guarantee)
    record = monitor.guarantee.model_copy(update={"threshold": threshold})
    return Abstainer(sealed(monitor.model_copy(update={"guarantee": record}), arrays), arrays, subject())


@pytest.mark.parametrize(("threshold", "given"), [(1e6, True), (-1e6, False), (None, False)])
def test_an_answer_is_given_when_its_doubt_is_small_enough(threshold: float | None, given: bool) -> None:
    abstainer = with_threshold(threshold)
    run = Run(subject(), panel("log"), prompts(1, 62), DECODING, record=abstainer.sites)
    while not run.done:
        run.advance()
    verdict, may = abstainer.judged(run)
    assert may == given
    assert (verdict.outcome == "abstained") == (not given)
    assert verdict.doubt is not None and math.isfinite(verdict.doubt)


def test_a_longer_answer_than_was_tested_is_never_given() -> None:
    abstainer = with_threshold(1e6)
    run = Run(subject(), panel("log"), prompts(1, 63), Decoding(max_new=12, stop_at_end=False), record=abstainer.sites)
    while not run.done:
        run.advance()
    assert abstainer.judged(run)[1] is False


def test_an_accepted_answer_stands_as_whole_words() -> None:
    asked = Asked([1], ("Paris", "the city"))
    assert asked.is_right("It is PARIS, of course.")
    assert asked.is_right("the City")
    assert not asked.is_right("Parisian")


def test_a_rule_may_not_take_the_guarantee_s_name() -> None:
    monitor, arrays = fitted("log")
    rules = (monitor.rules[0].model_copy(update={"name": NAME}),)
    with pytest.raises(UsageError, match="guarantee's name"):
        with_guarantee(subject(), monitor.model_copy(update={"rules": rules}), arrays, [], Bound())


def test_doubts_are_finite_numbers() -> None:
    assert np.isfinite(guaranteed()[1][f"{NAME}.weights"]).all()


def test_an_answer_drawn_in_another_way_is_never_given() -> None:
    abstainer = with_threshold(1e6)
    decoding = Decoding(max_new=8, temperature=1.0, seed=1)
    run = Run(subject(), panel("log"), prompts(1, 62), decoding, record=abstainer.sites)
    while not run.done:
        run.advance()
    verdict, may = abstainer.judged(run)
    assert (may, verdict.outcome, verdict.within_promise) == (False, "abstained", False)
