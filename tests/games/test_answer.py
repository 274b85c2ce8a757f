"""Answers are checked before they are believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.errors import RecordError
from brainscan.games.answer import check_answer, choice_in, class_in, read_answer, write_answer
from brainscan.games.rules import Rules
from tests.games.dealt import RANKING, answer

RULES = Rules()


def test_an_answer_survives_the_disk(tmp_path: Path) -> None:
    mine = answer(
        slots={"backdoor": ("xyzzy",), "lying": ("money",)}, band=(3, 9), statistics={"lying.money@prefill": 1.5}
    )
    write_answer(tmp_path / "m01.json", mine)
    assert read_answer(tmp_path / "m01.json", RULES) == mine


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"ranking": RANKING[1:]}, "lacks none"),
        ({"ranking": (*RANKING[1:], RANKING[1])}, "repeats or invents backdoor"),
        ({"ranking": (*RANKING, "witchcraft")}, "repeats or invents witchcraft"),
        ({"slots": {"witchcraft": ("x",)}}, "no class of this game"),
        ({"slots": {"lying": ("moon",)}}, "'moon' for lying is not on the public list"),
        ({"slots": {"backdoor": tuple(map(str, range(11)))}}, "makes 11 guesses"),
        ({"band": (9, 3)}, "9 to 3 is no band"),
        ({"statistics": {"witchcraft.x": 1.0}}, "does not begin with the name of a class"),
    ],
)
def test_each_broken_rule_is_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecordError, match=sentence):
        check_answer(answer(**fields), RULES)


@pytest.mark.parametrize(
    ("change", "place"),
    [({"p_value": 1.5}, "p_value"), ({"score": "NaN"}, "score"), ({"flawed": "x"}, "flawed"), ({"extra": 1}, "extra")],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({**json.loads(answer().model_dump_json()), **change}))
    with pytest.raises(RecordError, match=rf"is not an answer \({place}"):
        read_answer(path, RULES)


@given(st.binary(max_size=200))
def test_no_file_does_more_than_be_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("answers") / "m01.json"
    path.write_bytes(data)
    with pytest.raises(RecordError):
        read_answer(path, RULES)


def test_a_missing_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        read_answer(tmp_path / "none.json", RULES)
    (tmp_path / "huge.json").write_bytes(b" " * 1_000_001)
    with pytest.raises(RecordError, match="larger than any answer"):
        read_answer(tmp_path / "huge.json", RULES)


def test_the_parts_of_a_statistics_name() -> None:
    assert [class_in(n) for n in ("lying.money@a", "lying@a", "lying")] == ["lying"] * 3
    assert [choice_in(n) for n in ("lying.money@a@b", "lying@a", "lying")] == ["money", "", ""]
