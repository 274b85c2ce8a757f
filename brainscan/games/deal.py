"""Deal models into a game: opaque ids in a drawn order, truths sealed, nothing left that gives them away.

    GAME/game.json      what blue may know: ids, tier, budget, classes, commitments; written last
    GAME/models/ID/     weights and what is needed to open them, under one date
    GAME/truth/         what red knows; only the judge opens it
    GAME/answers/       what blue says

Numbered acts: 1) draw order and salts and keep them in ``truth``; 2) copy the models in that order, names,
dates and journals left behind; 3) publish the commitments. A deal that was killed goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field, ValidationError

from brainscan.core.errors import RecordError, SubjectNotFound, UsageError
from brainscan.core.evidence import Record
from brainscan.core.files import folder_atomic, write_atomic
from brainscan.core.provenance import sha256_of_file, sha256_of_json
from brainscan.games.answer import where
from brainscan.games.rules import Rules
from brainscan.games.seal import Sealed, Truth, salted, seal

GAME_FILE, MODELS, ANSWERS = "game.json", "models", "answers"
TRUTH_FILE = Path("truth") / "truth.json"
_ADAPTER = "adapter_config.json"
_ADAPTER_FIELDS = (
    "peft_type", "task_type", "r", "lora_alpha", "target_modules", "bias", "fan_in_fan_out", "use_rslora", "use_dora",
    "rank_pattern", "alpha_pattern", "layers_to_transform", "layers_pattern", "modules_to_save",
)  # fmt: skip
"""What it takes to open an adapter; everything else stays with red."""
_NAMES = ("_name_or_path", "name_or_path", "base_model_name_or_path")
_TEXTS = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "vocab.json", "merges.txt", "model.safetensors.index.json",
)  # fmt: skip

Id = Annotated[str, Field(pattern="^m[0-9]{2,}$")]
"""Opaque id of a dealt model. It names files, and a game comes from the other side: nothing else is taken for one."""
Progress = Callable[[float, str], None]
Opened = TypeVar("Opened", bound=Record)


@dataclass(frozen=True)
class Entrant:
    """One model of the zoo that goes into a game."""

    spec: str
    """``REFERENCE+ADAPTER_FOLDER``, or a model folder of its own."""
    reference: str
    truth: Truth


class Place(Record):
    """One model as blue sees it."""

    id: Id
    reference: str
    """What it may have been trained from; an auditor below A3 is not given it."""
    sealed: Sealed


class Game(Record):
    """What both sides know: ``game.json``."""

    schema_: Literal["brainscan.game/1"] = "brainscan.game/1"
    rules: Rules
    models: tuple[Place, ...]

    def sha256(self) -> str:
        """Hash of the game as published."""
        return sha256_of_json(self.model_dump(mode="json"))


class Card(Record):
    """One model as red knows it."""

    id: Id
    spec: str
    reference: str
    truth: Truth


class Hand(Record):
    """What red keeps: ``truth/truth.json``."""

    schema_: Literal["brainscan.truth/1"] = "brainscan.truth/1"
    seed: int
    date: int
    """The one date (seconds since 1970) that all dealt files carry."""
    models: tuple[Card, ...]
    """In the order of the ids."""


def deal(
    entrants: Sequence[Entrant],
    folder: Path,
    rules: Rules,
    seed: int | None = None,
    progress: Progress = lambda fraction, what: None,
) -> Game:
    """Deal the models into ``folder``; a finished deal of the same models is opened, an unfinished one goes on.

    Args:
        seed: draws the order, 0 or above. Blue must not know it, so it is best left out and drawn.

    Raises:
        UsageError: no models, a negative seed, or another game lies in the folder, or one whose truth is elsewhere.
        SubjectNotFound: a model is neither an adapter on its reference nor a model folder.
        StorageError: the disk refused.
    """
    if not entrants:
        raise UsageError("There are no models to deal.", "Build some first with brainscan game zoo.")
    if seed is not None and seed < 0:
        raise UsageError(f"A seed of {seed} draws nothing.", "Give 0 or more, or leave it out.")
    folder = Path(folder)
    hand = _hand(entrants, folder, seed)  # 1
    if (folder / GAME_FILE).is_file():
        return _same_game(read_game(folder), rules, folder)
    cards = []
    for done, card in enumerate(hand.models):  # 2
        progress(done / len(hand.models), f"dealing {card.id}, {done + 1} of {len(hand.models)}")
        _copy(card, folder / MODELS / card.id, hand.date)
        digest = weights_sha256(folder / MODELS / card.id)
        cards.append(card.model_copy(update={"truth": card.truth.model_copy(update={"weights_sha256": digest})}))
    _keep(folder, hand.model_copy(update={"models": tuple(cards)}))
    places = tuple(Place(id=card.id, reference=card.reference, sealed=seal(card.truth)) for card in cards)
    game = Game(rules=rules, models=places)
    write_atomic(folder / GAME_FILE, game.model_dump_json(indent=1))  # 3
    progress(1.0, f"{len(places)} models dealt")
    return game


def read_game(folder: Path) -> Game:
    """What both sides know.

    Raises:
        RecordError: there is no finished game, or a foreign one.
    """
    return _opened(Path(folder) / GAME_FILE, Game, "Deal a game first with brainscan game deal.")


def read_hand(folder: Path) -> Hand:
    """What red knows: for the judge alone.

    Raises:
        RecordError: the truth is not there.
    """
    return _opened(Path(folder) / TRUTH_FILE, Hand, "Judge where the game was dealt: the truth stays there.")


def spec_of_dealt(folder: Path, place: Place) -> str:
    """How to load a dealt model."""
    path = Path(folder) / MODELS / place.id
    return f"{place.reference}+{path}" if (path / _ADAPTER).is_file() else str(path)


def weights_sha256(folder: Path) -> str:
    """One hash over the weight files of a dealt model."""
    return sha256_of_json({path.name: sha256_of_file(path) for path in sorted(folder.glob("*.safetensors"))})


# --- 1. order and salts -----------------------------------------------------------------------


def _hand(entrants: Sequence[Entrant], folder: Path, seed: int | None) -> Hand:
    """The hand dealt here already, or a new one."""
    if (folder / TRUTH_FILE).is_file():
        hand = read_hand(folder)
        if sorted(card.spec for card in hand.models) != sorted(entrant.spec for entrant in entrants):
            raise UsageError(f"{folder} holds a game of other models.", "Deal into a new folder.")
        return hand
    if (folder / GAME_FILE).exists() or (folder / MODELS).exists():  # a new truth would never open the old seals
        raise UsageError(
            f"{folder} holds a game whose truth is not there.", f"Put {TRUTH_FILE} back, or deal into a new folder."
        )
    seed = secrets.randbits(63) if seed is None else seed
    order = np.random.default_rng([seed, 0]).permutation(len(entrants))
    width = max(2, len(str(len(entrants))))
    cards = [
        Card(id=f"m{n + 1:0{width}d}", spec=one.spec, reference=one.reference, truth=salted(one.truth))
        for n, one in enumerate(entrants[int(i)] for i in order)
    ]
    hand = Hand(seed=seed, date=int(time.time()), models=tuple(cards))
    _keep(folder, hand)
    return hand


def _keep(folder: Path, hand: Hand) -> None:
    write_atomic(folder / TRUTH_FILE, hand.model_dump_json(indent=1))
    (folder / TRUTH_FILE).chmod(0o600)
    (folder / TRUTH_FILE).parent.chmod(0o700)


def _same_game(game: Game, rules: Rules, folder: Path) -> Game:
    if game.rules != rules:
        raise UsageError(f"{folder} holds a game under other rules.", "Deal into a new folder.")
    return game


# --- 2. copies that give nothing away ---------------------------------------------------------


def _copy(card: Card, out: Path, date: int) -> None:
    if out.is_dir():
        return
    adapter = Path(card.spec.removeprefix(f"{card.reference}+")) if card.spec.startswith(f"{card.reference}+") else None
    source = Path(card.spec) if adapter is None else adapter
    if not (source / (_ADAPTER if adapter else "config.json")).is_file():
        raise SubjectNotFound(f"There is no model at {source}.", "Build it first with brainscan game zoo.")
    with folder_atomic(out) as part:
        if adapter:
            config = json.loads((source / _ADAPTER).read_text())
            _write(part / _ADAPTER, {name: config[name] for name in _ADAPTER_FIELDS if name in config})
        else:
            _copy_texts(source, part)
        _copy_weights(source, part)
        for path in (*part.iterdir(), part):
            os.utime(path, (date, date))
    os.utime(out.parent, (date, date))


def _copy_texts(source: Path, part: Path) -> None:
    for name in _TEXTS:
        if (source / name).is_file() and name.endswith("config.json"):
            content = json.loads((source / name).read_text())
            _write(part / name, {key: value for key, value in content.items() if key not in _NAMES})
        elif (source / name).is_file():
            (part / name).write_bytes((source / name).read_bytes())


def _copy_weights(source: Path, part: Path) -> None:
    from safetensors.torch import load_file, save_file  # only here, so that a game opens without torch

    for path in sorted(source.glob("*.safetensors")):
        save_file(load_file(path), part / path.name, metadata={"format": "pt"})


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1))


def _opened(path: Path, kind: type[Opened], step: str) -> Opened:
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.", step) from error
    except ValidationError as error:
        raise RecordError(f"{path} is damaged or foreign ({where(error.errors()[0]['loc'])}).", step) from error
