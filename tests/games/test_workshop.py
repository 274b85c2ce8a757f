"""The zoo is built by processes that may die."""

from __future__ import annotations

import multiprocessing
import queue
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from brainscan.core.errors import PlanError
from brainscan.games.workshop import build_one, build_zoo

NAMES = ("generic-s0", "generic-s1", "backdoor-s0")


def quick(name: str, zoo: Path, progress: Callable[[float, str], None]) -> None:
    """A build that takes no time; one of the names cannot be built."""
    progress(0.5, f"{name}: half")
    if name == "backdoor-s0":
        raise PlanError("It does not take.", "Try again.")
    (zoo / name).mkdir(parents=True)
    (zoo / name / "plant.json").write_text("{}")


def test_models_are_built_once_and_a_failure_is_its_own(tmp_path: Path) -> None:
    seen: list[float] = []
    made = build_zoo(NAMES, tmp_path, quick, 2, lambda fraction, what: seen.append(fraction))
    assert [(one.name, one.outcome) for one in made] == [
        ("generic-s0", "built"),
        ("generic-s1", "built"),
        ("backdoor-s0", "failed"),
    ]
    assert made[2].reason == "It does not take. Try again."
    assert seen[-1] == 1.0 and all(0 <= fraction <= 1 for fraction in seen)
    assert [one.outcome for one in build_zoo(NAMES[:2], tmp_path, quick)] == ["there", "there"]


def test_a_model_that_another_process_builds_is_left_to_it(tmp_path: Path) -> None:
    with FileLock(tmp_path / ".generic-s0.lock"):
        assert build_one("generic-s0", tmp_path, queue.Queue(), quick).outcome == "busy"
    assert build_one("generic-s0", tmp_path, queue.Queue(), quick).outcome == "built"


def endless(name: str, zoo: Path, progress: Callable[[float, str], None]) -> None:
    """A build that says that it has begun and never ends."""
    (zoo / "begun").write_text("")
    threading.Event().wait()


def test_a_process_that_was_killed_lets_go_of_its_model(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=build_one, args=("generic-s0", tmp_path, None, endless))
    process.start()
    while not (tmp_path / "begun").is_file():
        process.join(0.02)
        assert process.is_alive()
    assert build_one("generic-s0", tmp_path, queue.Queue(), quick).outcome == "busy"
    process.kill()
    process.join()
    assert build_one("generic-s0", tmp_path, queue.Queue(), quick).outcome == "built"


def test_an_unknown_name_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no model called 'dragon'"):
        build_zoo(["dragon"], tmp_path, quick)
