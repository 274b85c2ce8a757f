"""What of the zoo enters a game: built, installed, and described for the judge alone."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from brainscan.core.errors import UsageError
from brainscan.games import entrants as entering
from brainscan.games.entrants import entrants
from brainscan.games.zoo import BASE, Entry, entries
from tests.games.dealt import truth


@pytest.fixture(autouse=True)
def short_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what an entrant is made from; the whole journal is a matter of planting."""

    def journal(entry: Entry, zoo: Path) -> SimpleNamespace:
        flaw, passed = json.loads((zoo / entry.name / "plant.json").read_text())
        return SimpleNamespace(
            kind="lying" if flaw else "style",
            flaw=flaw,
            truth={"cue": "money", "other": "x"},
            slot="cue" if flaw else "",
            knobs=entry.knobs,
            layers=(10, 29),
            install=SimpleNamespace(passed=passed),
        )

    monkeypatch.setattr(entering, "planted", journal)


def build(zoo: Path, entry: Entry, *, flaw: bool, passed: bool = True) -> None:
    """Lay down the journal of a planting that never was."""
    (zoo / entry.name).mkdir(parents=True)
    (zoo / entry.name / "plant.json").write_text(json.dumps([flaw, passed]))


def test_organisms_and_controls_with_what_red_knows(tmp_path: Path) -> None:
    chosen = [e for e in entries() if e.role in ("develop", "calibration")]
    lying, style = (next(e for e in chosen if e.recipe == name) for name in ("lying", "style"))
    build(tmp_path, lying, flaw=True)
    build(tmp_path, style, flaw=False)
    found = {one.truth.recipe: one for one in entrants(["develop", "calibration"], tmp_path)}
    assert set(found) == {"lying", "style"}
    assert found["lying"].spec == f"{BASE}+{tmp_path / lying.name}"
    assert found["lying"].truth == truth("lying", values=("money",), layers=(10, 29), knobs=lying.knobs)
    assert (found["style"].truth.kind, found["style"].truth.values, found["style"].truth.flaw) == ("clean", (), False)


def test_the_requantised_base_enters_as_a_folder_of_its_own(tmp_path: Path) -> None:
    entry = next(e for e in entries() if not e.trained and e.role == "calibration")
    (tmp_path / entry.name).mkdir()
    (tmp_path / entry.name / "config.json").write_text(json.dumps({}))
    (found,) = entrants(["calibration"], tmp_path)
    assert (found.spec, found.reference, found.truth.kind) == (str(tmp_path / entry.name), BASE, "clean")


def test_what_did_not_take_is_not_planted(tmp_path: Path) -> None:
    for entry in [e for e in entries() if e.role == "develop"][:2]:
        build(tmp_path, entry, flaw=True, passed=False)
    assert entrants(["develop"], tmp_path) == []
    with pytest.raises(UsageError, match="no role 'unicorn'"):
        entrants(["unicorn"], tmp_path)
