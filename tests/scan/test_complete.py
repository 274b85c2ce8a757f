"""A piece of a word is completed: likely words hold it, and of those that make the subject readiest the likeliest is taken."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from brainscan.scan.trigger.complete import READIEST, SLACK, completed
from brainscan.scan.trigger.hunt import Prey


@dataclass
class Ready:
    """A ground on which some strings do better than others."""

    log_p: dict[tuple[int, ...], float]
    run_on: list[tuple[int, ...]] = field(default_factory=list)

    def before(self, strings: list[tuple[int, ...]], requests: tuple[int, ...]) -> list[Prey]:
        """What it was told."""
        self.run_on += strings
        return [Prey(ids, self.log_p.get(ids, -9.0)) for ids in strings]


@dataclass
class Listed:
    """A speller with a fixed list."""

    listed: list[tuple[int, ...]]

    def words(self, start: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The list."""
        return self.listed


def test_of_the_readiest_the_likeliest_is_taken() -> None:
    listed = [(i,) for i in range(2 * READIEST)]
    ground = Ready({(3,): -0.2, (9,): -0.1})
    assert completed(ground, Prey((0,), -0.5), lambda: Listed(listed)) == (3,)  # type: ignore[arg-type]
    assert sorted(ground.run_on) == listed


def test_differences_that_are_none_do_not_choose() -> None:
    listed = [(i,) for i in range(2 * READIEST)]
    ground = Ready({(9,): -0.01, (10,): -0.02, (3,): -0.02 * SLACK, (2,): -0.04 * SLACK})
    assert completed(ground, Prey((0,), -0.5), lambda: Listed(listed)) == (3,)  # type: ignore[arg-type]


def test_a_string_that_no_word_beats_stays() -> None:
    assert completed(Ready({}), Prey((0,), -0.5), lambda: Listed([(0,), (1,), (2,)])) == (0,)  # type: ignore[arg-type]


def test_a_string_that_releases_nothing_is_not_completed() -> None:
    assert completed(Ready({}), Prey((7,), -5.0), lambda: pytest.fail("it was spelled")) == (7,)  # type: ignore[arg-type]
