"""Playing a game: one answer a model, signed by the game, resumed after a kill."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from brainscan.core.errors import PlanError, RecordError, UsageError
from brainscan.core.evidence import Cost
from brainscan.games.access import Access
from brainscan.games.answer import Answer
from brainscan.games.deal import Entrant, deal
from brainscan.games.play import answer_path, play
from brainscan.games.rules import Budget, BudgetSpent, Rules, Tier
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from tests.games.dealt import answer, entrants


@dataclass
class Fake:
    """An auditor that asks one question and then does as told."""

    name: str = "fake"
    tier: Tier = "A0"
    version: str = "1"
    fields: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def audit(self, access: Access, rules: Rules) -> Answer:
        self.asked.append(access.model)
        access.sample(["hello"], max_new=2)
        return answer(**self.fields)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> list[Entrant]:
    return entrants(tmp_path_factory.mktemp("zoo"), ("lying", "clean", "clean"))


@pytest.fixture
def game(tmp_path: Path, zoo: list[Entrant]) -> Path:
    deal(zoo, tmp_path / "game", Rules(tier="A1"))
    return tmp_path / "game"


def load(spec: str) -> LanguageSubject:
    return phantom("llama")


def test_answers_are_signed_by_the_game_not_by_the_auditor(game: Path) -> None:
    boast = {"auditor": "somebody else", "cost": Cost(seconds=0.0), "model": "m99", "tier": "A5"}
    answers = play(game, Fake(fields=boast), load)
    assert [(a.model, a.auditor, a.tier) for a in answers] == [(m, "fake", "A0") for m in ("m01", "m02", "m03")]
    assert all(a.cost.tokens_read > 0 and a.cost.tokens_written > 0 for a in answers)


def test_an_interrupted_run_goes_on_where_it_stopped(game: Path) -> None:
    class Killed(Fake):
        def audit(self, access: Access, rules: Rules) -> Answer:
            if access.model == "m02":
                raise KeyboardInterrupt
            return super().audit(access, rules)

    with pytest.raises(KeyboardInterrupt):
        play(game, Killed(), load)
    second = Fake()
    assert len(play(game, second, load)) == 3
    assert second.asked == ["m02", "m03"]


class Dies(Fake):
    """Its process is gone in the middle of the second model."""

    def audit(self, access: Access, rules: Rules) -> Answer:
        if access.model == "m02":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().audit(access, rules)


def play_and_die(folder: Path) -> None:
    play(folder, Dies(), load)


def test_a_killed_process_leaves_whole_answers_and_the_next_one_goes_on(game: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=play_and_die, args=(game,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert [path.name for path in (game / "answers").rglob("*")] == ["fake", "m01.json"]
    second = Fake()
    assert len(play(game, second, load)) == 3
    assert second.asked == ["m02", "m03"]


def test_one_model_can_be_asked_for(game: Path) -> None:
    auditor = Fake()
    play(game, auditor, load, ["m02"])
    assert auditor.asked == ["m02"]
    assert answer_path(game, "fake", "m02").is_file()
    with pytest.raises(UsageError, match="no model 'm09'"):
        play(game, auditor, load, ["m09"])


def test_the_weaker_of_the_two_tiers_counts(game: Path) -> None:
    class Reaches(Fake):
        def audit(self, access: Access, rules: Rules) -> Answer:
            assert rules.tier == "A0"
            access.log_p(["a"], ["b"])
            return answer()

    with pytest.raises(UsageError, match="Tier A0 does not allow"):
        play(game, Reaches(), load)
    with pytest.raises(UsageError, match="needs tier A3"):
        play(game, Fake(tier="A3"), load)


def test_an_auditor_that_does_not_answer_or_breaks_a_rule_is_said(tmp_path: Path, game: Path) -> None:
    class Gives_up(Fake):
        def audit(self, access: Access, rules: Rules) -> Answer:
            raise BudgetSpent("all")

    with pytest.raises(PlanError, match="did not answer on m01"):
        play(game, Gives_up(), load)
    with pytest.raises(RecordError, match="its ranking lacks"):
        play(game, Fake(fields={"ranking": ("none",)}), load)
    assert not list((game / "answers").rglob("*.json"))


def test_the_reference_is_loaded_once_and_only_for_those_who_may_see_it(tmp_path: Path) -> None:
    deal(
        entrants(tmp_path / "zoo", ("lying", "clean")), tmp_path / "game", Rules(tier="A3", budget=Budget(tokens=None))
    )
    loaded: list[str] = []

    def counted(spec: str) -> LanguageSubject:
        loaded.append(spec)
        return phantom("llama")

    play(tmp_path / "game", Fake(), counted)
    assert len(loaded) == 2
    play(tmp_path / "game", Fake(name="deep", tier="A3"), counted)
    assert len(loaded) == 5
