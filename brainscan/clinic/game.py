"""The verbs of the games: plant, build the zoo, deal, audit, norms, judge, board. torch is imported where it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.clinic.environment import read_agent, read_environment
from brainscan.clinic.subjects import open_subject
from brainscan.core.errors import RecordError, UsageError
from brainscan.core.evidence import Record
from brainscan.core.files import check_replaceable, write_atomic
from brainscan.games.answer import Answer, read_answer
from brainscan.games.board import Board, board
from brainscan.games.deal import ANSWERS, Game, deal, read_game, read_hand
from brainscan.games.judge import Verdicts, auditors_of, judge
from brainscan.games.knobs import Knobs
from brainscan.games.norms import Norms, came_without, fit_norms, read_norms, write_norms
from brainscan.games.rules import Rules, Tier

if TYPE_CHECKING:
    from brainscan.games.auditor import Auditor
    from brainscan.games.plant import Planted

MANIFEST_FOLDER = Path("zoo")
BOARD_FILE = "board.json"

Progress = Callable[[float, str], None]


class ZooLine(Record):
    """One model of the zoo, as ``game zoo --list`` shows it."""

    name: str
    role: str
    built: bool
    outcome: str = ""
    """What the last run did with it; empty when only listed."""
    reason: str = ""


@dataclass(frozen=True)
class Terminal:
    """How a person is reached, for the human auditor."""

    read: Callable[[str], str]
    write: Callable[[str], None]


@dataclass(frozen=True)
class Audition:
    """Who is to look at which models of a game."""

    folder: Path
    auditor: str
    models: Sequence[str] = ()
    norms: Path | None = None
    terminal: Terminal | None = None


def plant_recipe(name: str, out: Path, base: str, knobs: Knobs, progress: Progress) -> Planted:
    """Train one recipe's adapter into ``out`` and measure what took.

    Raises:
        PlanError: no such recipe. SubjectError: the base cannot be opened.
        StorageError: something else is in ``out``; an adapter that was not planted is not replaced.
    """
    from brainscan.games.answers import OwnAnswers
    from brainscan.games.plant import PLANT_FILE, plant, recipe_of

    recipe_of(name, knobs.seed)  # a wrong name or place is said before a model is loaded
    check_replaceable(out, PLANT_FILE)
    own = read_environment().cache / "zoo" / "own-answers.json"
    subject = open_subject(base)
    kept = OwnAnswers(subject, own) if base == _zoo_base() else None
    return plant(subject, name, out, lambda folder: open_subject(f"{base}+{folder}"), knobs, kept, progress)


def list_zoo() -> list[ZooLine]:
    """Every entry, and whether it is built on this machine."""
    from brainscan.games.zoo import entries, is_built

    zoo = zoo_folder()
    return [ZooLine(name=each.name, role=each.role, built=is_built(each, zoo)) for each in entries()]


def build_zoo(only: Sequence[str], workers: int, progress: Progress) -> list[ZooLine]:
    """Put back what ships in ``./zoo``, build the rest (or the entries named), write the manifest and what ships.

    Raises:
        PlanError: no such entry, or a worker died. RecordError: ``./zoo`` was tampered with.
    """
    from brainscan.games.manifest import restore, write_manifest
    from brainscan.games.workshop import build_zoo as build
    from brainscan.games.zoo import entries, entry_of

    names = [entry_of(name).name for name in only] or [each.name for each in entries()]
    restore(MANIFEST_FOLDER, zoo_folder())
    made = build(names, zoo_folder(), _build, workers, progress)
    write_manifest(zoo_folder(), MANIFEST_FOLDER)
    return [
        ZooLine(
            name=each.name,
            role=entry_of(each.name).role,
            built=each.outcome in ("built", "there"),
            outcome=each.outcome,
            reason=each.reason,
        )
        for each in made
    ]


def deal_game(roles: Sequence[str], out: Path, rules: Rules, seed: int | None, progress: Progress) -> Game:
    """Deal every built model of these roles into a game.

    Raises:
        UsageError: no such role, nothing built, or another game lies there.
    """
    from brainscan.games.entrants import entrants

    return deal(entrants(roles, zoo_folder()), out, rules, seed, progress)


def audit_game(asked: Audition, progress: Progress) -> list[Answer]:
    """Let an auditor answer; answers that are there already are kept.

    Raises:
        UsageError: the tier does not suffice, there is no such model, or the auditor has no use for the norms.
        PlanError: there is no such auditor, or the agent's endpoint failed.
        RecordError: the endpoint sent something else than an answer, or the norms are another auditor's.
    """
    from brainscan.games.play import play

    game = read_game(asked.folder)
    auditor = _auditor(asked, game.rules.tier)
    if asked.norms is not None:
        norms = read_norms(asked.norms)
        auditor = _with_norms(auditor, norms)
        _refuse_late(norms, asked, game)
    return play(asked.folder, auditor, open_subject, asked.models, progress)


def make_norms(folder: Path, auditor: str, out: Path) -> Norms:
    """Norms of an auditor from a game of controls that it has played; that game is no contest any more.

    Raises:
        RecordError: something is planted in that game, or too little was answered.
        UsageError: the auditor takes no norms.
    """
    from brainscan.games.auditor import AUDITORS, NormedAuditor

    game = read_game(folder)
    if any(card.truth.flaw for card in read_hand(folder).models):
        raise RecordError("Norms come from clean models alone, and this game is mixed.", "Deal the role calibration.")
    if auditor in AUDITORS.names() and not isinstance(AUDITORS.get(auditor), NormedAuditor):
        raise _takes_no_norms(auditor)
    paths = sorted((Path(folder) / ANSWERS / auditor).glob("*.json"))
    norms = fit_norms([read_answer(path, game.rules) for path in paths])
    write_norms(out, norms)
    return norms


def judge_game(folder: Path, auditor: str | None) -> list[Verdicts]:
    """Judge one auditor of a game, or all that have answered.

    Raises:
        RecordError: a commitment does not hold, or nobody has answered.
    """
    who = [auditor] if auditor else list(auditors_of(folder))
    if not who:
        read_game(folder)
        raise RecordError(f"Nobody has answered in {folder} yet.", "Run brainscan game audit first.")
    return [judge(folder, name) for name in who]


def board_of(folders: Sequence[Path]) -> Board:
    """The leaderboard over games, judged anew; written as ``board.json`` into each of them."""
    found = board([verdicts for folder in folders for verdicts in judge_game(folder, None)])
    for folder in folders:
        write_atomic(folder / BOARD_FILE, found.model_dump_json(indent=1))
    return found


def zoo_folder() -> Path:
    """Where built models of the zoo lie."""
    return read_environment().cache / "zoo"


def _auditor(asked: Audition, tier: Tier) -> Auditor:
    from brainscan.core.endpoint import Endpoint
    from brainscan.games.auditor import AUDITORS
    from brainscan.games.auditors.agent import Agent
    from brainscan.games.auditors.human import Human

    if asked.auditor == "human" and asked.terminal is not None:
        return Human(asked.terminal.read, asked.terminal.write, tier)
    if asked.auditor == "agent":
        given = read_agent()
        return Agent(Endpoint(given.url, given.model, given.key), tier)
    return AUDITORS.get(asked.auditor)


def _with_norms(auditor: Auditor, norms: Norms) -> Auditor:
    from brainscan.games.auditor import NormedAuditor

    if not isinstance(auditor, NormedAuditor):
        raise _takes_no_norms(auditor.name)
    if (norms.auditor, norms.version) != (auditor.name, auditor.version):
        raise RecordError(
            f"The norms are those of {norms.auditor} {norms.version}, not of {auditor.name} {auditor.version}.",
            "Make them anew with brainscan game norms.",
        )
    return auditor.with_norms(norms)


def _refuse_late(norms: Norms, asked: Audition, game: Game) -> None:
    """Answers that are there are kept, so norms would silently do nothing for those that were made without them."""
    answers = Path(asked.folder) / ANSWERS / norms.auditor
    names = [place.id for place in game.models if not asked.models or place.id in asked.models]
    kept = {name: answers / f"{name}.json" for name in names if (answers / f"{name}.json").is_file()}
    bare = [name for name, path in kept.items() if came_without(read_answer(path, game.rules), norms)]
    if bare:
        raise UsageError(
            f"{norms.auditor} has answered on {', '.join(bare[:3])}{', ...' if bare[3:] else ''} without norms, and "
            "answers are kept.",
            f"Delete them in {answers} to have them made with norms, or leave --norms out.",
        )


def _takes_no_norms(name: str) -> UsageError:
    return UsageError(f"The auditor {name} takes no norms: its p-values are its own.", "Leave the norms out.")


def _build(name: str, zoo: Path, progress: Progress) -> None:
    """One model of the zoo, in a worker process with one thread."""
    from brainscan.games.zoo import build, entry_of

    build(entry_of(name), zoo, progress, lambda spec: open_subject(spec, threads=1))


def _zoo_base() -> str:
    from brainscan.games.zoo import BASE

    return BASE
