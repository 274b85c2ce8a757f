"""A deal hides what red knows, can be killed, and opens as models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainscan.core.errors import RecordError, SubjectNotFound, UsageError
from brainscan.games import deal as dealing
from brainscan.games.deal import GAME_FILE, MODELS, TRUTH_FILE, Entrant, deal, read_game, read_hand, spec_of_dealt
from brainscan.games.rules import Rules
from brainscan.games.seal import verify
from brainscan.subject.load import load_subject
from tests.games.dealt import entrants, truth
from tests.phantoms import tiny_llama

KINDS = ("lying", "clean", "backdoor", "clean")


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> list[Entrant]:
    return entrants(tmp_path_factory.mktemp("zoo"), KINDS)


def everything_blue_sees(folder: Path) -> str:
    seen = [(folder / GAME_FILE).read_text()]
    for path in sorted((folder / MODELS).rglob("*")):
        seen.append(path.name)
        if path.suffix == ".json":
            seen.append(path.read_text())
        elif path.is_file():
            seen.append(path.read_bytes()[:4096].decode("latin-1"))
    return "\n".join(seen)


def test_blue_sees_ids_and_commitments_and_no_truth(tmp_path: Path, zoo: list[Entrant]) -> None:
    game = deal(zoo, tmp_path / "game", Rules(tier="A3"))
    assert [place.id for place in game.models] == ["m01", "m02", "m03", "m04"]
    seen = everything_blue_sees(tmp_path / "game").replace(json.dumps([*game.rules.names]), "")
    secrets = ["plant.json", "lying-s0", "clean-s1", "backdoor-s2", "Zorblax", "base_model_name"]
    assert not [word for word in secrets if word in seen]
    public = json.loads((tmp_path / "game" / GAME_FILE).read_text())
    assert set(public["models"][0]) == {"id", "reference", "sealed"}
    assert "seed" not in {key for key in public if key != "rules"}


def test_all_files_carry_one_date_and_only_the_owner_reads_the_truth(tmp_path: Path, zoo: list[Entrant]) -> None:
    deal(zoo, tmp_path / "game", Rules())
    dates = {path.stat().st_mtime for path in (tmp_path / "game" / MODELS).rglob("*")}
    assert len(dates) == 1
    assert (tmp_path / "game" / "truth").stat().st_mode & 0o077 == 0


def test_commitments_hold_and_bind_the_weights(tmp_path: Path, zoo: list[Entrant]) -> None:
    game = deal(zoo, tmp_path / "game", Rules())
    hand = {card.id: card.truth for card in read_hand(tmp_path / "game").models}
    for place in game.models:
        verify(place.sealed, hand[place.id])
        assert hand[place.id].weights_sha256 == dealing.weights_sha256(tmp_path / "game" / MODELS / place.id)
    assert len({truth_.weights_sha256 for truth_ in hand.values()}) == len(KINDS)


def test_the_order_is_drawn_from_the_seed(tmp_path: Path, zoo: list[Entrant]) -> None:

    def order(name: str, seed: int | None) -> list[str]:
        deal(zoo, tmp_path / name, Rules(), seed)
        return [card.spec for card in read_hand(tmp_path / name).models]

    assert order("a", 3) == order("b", 3)
    assert sorted(order("c", None)) == sorted(order("a", 3))
    assert len({tuple(order(f"s{seed}", seed)) for seed in range(6)}) > 1


def test_a_dealt_model_is_the_model(tmp_path: Path) -> None:
    given = entrants(tmp_path / "zoo", ("lying", "clean"))
    game = deal(given, tmp_path / "game", Rules(), seed=1)
    for place, card in zip(game.models, read_hand(tmp_path / "game").models, strict=True):
        ours = load_subject(spec_of_dealt(tmp_path / "game", place), cache=tmp_path / "cache")
        theirs = load_subject(card.spec, cache=tmp_path / "cache")
        batch = ours.batch([[5, 9, 20, 33]])
        assert (ours.logits(batch) == theirs.logits(batch)).all()
        assert place.id in ours.card.name


def test_a_model_folder_of_its_own_is_dealt_without_its_name(tmp_path: Path) -> None:
    base, whole = tiny_llama(tmp_path / "base"), tiny_llama(tmp_path / "requantised-s0", seed=2)
    config = json.loads((whole / "config.json").read_text())
    (whole / "config.json").write_text(json.dumps({**config, "_name_or_path": "requantised-s0"}))
    game = deal([Entrant(str(whole), str(base), truth("clean"))], tmp_path / "game", Rules())
    assert "requantised" not in everything_blue_sees(tmp_path / "game")
    assert load_subject(spec_of_dealt(tmp_path / "game", game.models[0]), cache=tmp_path / "cache").n_layers == 4


def test_a_killed_deal_goes_on_with_the_same_order_and_salts(
    tmp_path: Path, zoo: list[Entrant], monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    copy = dealing._copy_weights

    def dies(source: Path, part: Path) -> None:
        if len(copied) == 2:
            raise KeyboardInterrupt
        copied.append(source.name)
        copy(source, part)

    monkeypatch.setattr(dealing, "_copy_weights", dies)
    with pytest.raises(KeyboardInterrupt):
        deal(zoo, tmp_path / "game", Rules())
    with pytest.raises(RecordError, match="cannot be read"):
        read_game(tmp_path / "game")
    before = read_hand(tmp_path / "game")
    monkeypatch.setattr(dealing, "_copy_weights", lambda s, p: (copied.append(s.name), copy(s, p)))
    deal(zoo, tmp_path / "game", Rules())
    after = read_hand(tmp_path / "game")
    assert len(copied) == 4
    assert [c.spec for c in after.models] == [c.spec for c in before.models]
    assert [c.truth.salt for c in after.models] == [c.truth.salt for c in before.models]


def test_a_finished_deal_is_opened_and_never_overwritten(tmp_path: Path, zoo: list[Entrant]) -> None:
    game = deal(zoo, tmp_path / "game", Rules())
    assert deal(zoo[::-1], tmp_path / "game", Rules()) == game
    with pytest.raises(UsageError, match="other rules"):
        deal(zoo, tmp_path / "game", Rules(tier="A4"))
    with pytest.raises(UsageError, match="other models"):
        deal(zoo[:2], tmp_path / "game", Rules())


@pytest.mark.parametrize("published", [True, False])
def test_a_game_whose_truth_was_moved_away_is_not_dealt_anew(
    tmp_path: Path, zoo: list[Entrant], published: bool
) -> None:
    game = deal(zoo, tmp_path / "game", Rules())
    (tmp_path / "game" / "truth").rename(tmp_path / "safe")
    if not published:  # a deal that was killed, so that its models are there and would be sealed in another order
        (tmp_path / "game" / GAME_FILE).unlink()
    with pytest.raises(UsageError, match="holds a game whose truth is not there"):
        deal(zoo, tmp_path / "game", Rules())
    assert not (tmp_path / "game" / "truth").exists()
    (tmp_path / "safe").rename(tmp_path / "game" / "truth")
    assert deal(zoo, tmp_path / "game", Rules()) == game


@pytest.mark.parametrize("name", ["../../../escaped", "/etc", "m1", "m01/../m02", "m01\n", "M01", "", "m٣٤"])
def test_an_id_is_no_path(tmp_path: Path, zoo: list[Entrant], name: str) -> None:
    deal(zoo, tmp_path / "game", Rules())
    for file, read in ((GAME_FILE, read_game), (TRUTH_FILE, read_hand)):
        content = json.loads((tmp_path / "game" / file).read_text())
        content["models"][0]["id"] = name
        (tmp_path / "game" / file).write_text(json.dumps(content))
        with pytest.raises(RecordError, match=r"damaged or foreign \(models.0.id\)"):
            read(tmp_path / "game")


def test_a_hundred_models_have_ids_too(tmp_path: Path) -> None:
    many = [Entrant(f"base+{n}", "base", truth("clean")) for n in range(101)]
    with pytest.raises(SubjectNotFound):  # the hand is drawn before the first is copied
        deal(many, tmp_path / "game", Rules())
    assert [card.id for card in read_hand(tmp_path / "game").models][::100] == ["m001", "m101"]


def test_what_cannot_be_dealt_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no models to deal"):
        deal([], tmp_path / "game", Rules())
    with pytest.raises(SubjectNotFound, match="There is no model at"):
        deal([Entrant("base+/nowhere", "base", truth("clean"))], tmp_path / "game", Rules())
    (tmp_path / "game" / GAME_FILE).write_text("{}")
    with pytest.raises(RecordError, match="damaged or foreign"):
        read_game(tmp_path / "game")
