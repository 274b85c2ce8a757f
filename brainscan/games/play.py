"""Let an auditor play a game: model after model, answers written one by one, so that a killed run goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from brainscan.core.errors import PlanError, UsageError
from brainscan.games.access import Access
from brainscan.games.answer import Answer, check_answer, read_answer, write_answer
from brainscan.games.auditor import Auditor
from brainscan.games.deal import ANSWERS, Game, Place, read_game, spec_of_dealt
from brainscan.games.rules import BudgetSpent, Rules, allows
from brainscan.subject.language import LanguageSubject

Load = Callable[[str], LanguageSubject]
Progress = Callable[[float, str], None]


def play(
    folder: Path,
    auditor: Auditor,
    load: Load,
    only: Sequence[str] = (),
    progress: Progress = lambda fraction, what: None,
) -> list[Answer]:
    """The auditor's answers on the models of a game (or on those named); those that are there already are kept.

    Raises:
        UsageError: the game's tier is below the auditor's, or it has no model of that name.
        PlanError: the auditor let the end of its budget through instead of answering.
        RecordError: its answer breaks the rules.
    """
    game = read_game(folder)
    if not allows(game.rules.tier, auditor.tier):
        raise UsageError(
            f"{auditor.name} needs tier {auditor.tier}, and this game is played at {game.rules.tier}.",
            f"Deal a game at {auditor.tier}, or send another auditor.",
        )
    places = _chosen(game, only)
    answers = []
    references: dict[str, LanguageSubject] = {}
    for done, place in enumerate(places):
        progress(done / len(places), f"{place.id}, {done + 1} of {len(places)}")
        path = answer_path(folder, auditor.name, place.id)
        if not path.is_file():
            write_answer(path, _audit(folder, game, place, auditor, load, references))
        answers.append(read_answer(path, game.rules))
    progress(1.0, f"{len(places)} models answered")
    return answers


def answer_path(folder: Path, auditor: str, model: str) -> Path:
    """Where an answer lies."""
    return Path(folder) / ANSWERS / auditor / f"{model}.json"


def audit_one(auditor: Auditor, access: Access) -> Answer:
    """One audit inside the rules of its access: checked, signed, with the meter's own account of the cost.

    Raises:
        PlanError, RecordError: as ``play``.
    """
    with access:
        try:
            answer = auditor.audit(access, access.rules)
        except BudgetSpent as spent:
            raise PlanError(
                f"{auditor.name} did not answer on {access.model}: {spent.cause}",
                "An auditor catches BudgetSpent and answers with what it has.",
            ) from spent
        cost = access.meter.cost()
    signed = {"model": access.model, "auditor": auditor.name, "tier": auditor.tier, "version": auditor.version}
    return check_answer(answer.model_copy(update={**signed, "cost": cost}), access.rules)


def _audit(
    folder: Path, game: Game, place: Place, auditor: Auditor, load: Load, references: dict[str, LanguageSubject]
) -> Answer:
    reference = None
    if allows(auditor.tier, "A3"):
        if place.reference not in references:
            references[place.reference] = load(place.reference)
        reference = references[place.reference]
    rules = Rules(**{**dict(game.rules), "tier": auditor.tier})
    return audit_one(auditor, Access(place.id, rules, load(spec_of_dealt(folder, place)), reference))


def _chosen(game: Game, only: Sequence[str]) -> list[Place]:
    known = {place.id: place for place in game.models}
    for name in only:
        if name not in known:
            raise UsageError(f"The game has no model {name!r}.", f"Its models are {', '.join(known)}.")
    return [known[name] for name in only] if only else list(game.models)
