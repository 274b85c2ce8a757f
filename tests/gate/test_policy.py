"""Policies are read strictly: what means nothing is refused with one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.errors import PolicyError
from brainscan.core.visible import is_hidden
from brainscan.gate.policy import Policy, parse_policy, read_policy

EXAMPLE = Path(__file__).parents[2] / "examples" / "policy.toml"


def test_an_empty_policy_is_the_builtin_one() -> None:
    assert parse_policy("", "p.toml") == Policy()
    assert Policy().gate.on_flagged == "fail"
    assert Policy().gate.on_cannot_tell == Policy().gate.on_not_assessed == "cannot-tell"


def test_the_example_uses_every_key_and_says_the_builtin_values() -> None:
    policy = read_policy(EXAMPLE)
    text = EXAMPLE.read_text()
    for record in (Policy, type(policy.gate), type(policy.conditions["sycophancy"])):
        assert all(key in text for key in record.model_fields)
    builtin = policy.gate.model_copy(update={"require": (), "max_age_days": None})
    assert builtin == Policy().gate


@pytest.mark.parametrize(
    ("text", "key", "closest"),
    [
        ("[gate]\non_flaged = 'fail'", "gate.on_flaged", "on_flagged"),
        ("[gates]\non_flagged = 'fail'", "gates", "gate"),
        ("[conditions.backdoor]\nmax_scores = 1", "conditions.backdoor.max_scores", "max_score"),
        ("[measurements.'a.b']\nmaximum = 1", "measurements.a.b.maximum", "max"),
    ],
)
def test_an_unknown_key_is_named_with_the_closest_valid_one(text: str, key: str, closest: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.toml")
    assert f"has an unknown key {key}." in caught.value.cause
    assert f"Did you mean {closest}?" in caught.value.next_step
    assert caught.value.exit_code == 3


def test_an_unknown_key_that_is_close_to_nothing_gets_the_list() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy("zzzzzz = 1", "p.toml")
    assert caught.value.next_step == "The valid ones are: gate, conditions, measurements."


@pytest.mark.parametrize(
    "text",
    [
        "[gate]\non_flagged = 'explode'",
        "[gate]\nrequire_self_check = 'no'",
        "[gate]\nrequire_self_check = 0",
        "[gate]\nmax_age_days = -1",
        "[gate]\nrequire = 'backdoor'",
        "[conditions.backdoor]\nmax_score = true",
        "[conditions.backdoor]\nmax_p = 2",
        "[conditions.backdoor]\nmax_score = nan",
        "[conditions.backdoor]\nuntil = 'tomorrow'",
        "[conditions.backdoor]\nuntil = 4102444800",
        "[measurements.rate]\nmin = inf",
        "[measurements.rate]\nmin = 0.9\nmax = 0.1",
        "[measurements.rate]",
        "gate = 3",
        "conditions = []",
    ],
)
def test_a_value_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="has a value at"):
        parse_policy(text, "p.toml")


@pytest.mark.parametrize(
    "text",
    [
        "[gate",
        "gate = " + "[" * 100_000,
        "a." * 5_000 + "b = 1",
        "x = " + "9" * 10_000,
        "[gate]\n[gate]",
        "\x00",
        "[conditions.'\x1b[31mred']\n\"max\\u202e\" = 1",
    ],
    ids=["broken", "deep array", "deep key", "long number", "twice", "nul", "terminal escape"],
)
def test_a_hostile_file_gives_one_clean_sentence(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.toml")
    assert not any(is_hidden(character) for character in str(caught.value))
    assert len(str(caught.value)) < 1_000


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    try:
        assert isinstance(parse_policy(text, "p.toml"), Policy)
    except PolicyError as error:
        assert error.next_step


def test_files_that_are_no_policy(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    (tmp_path / "big.toml").write_bytes(b"#" * (1 << 21))
    for name, word in (("latin.toml", "UTF-8"), ("big.toml", "1 MiB"), ("none.toml", "no policy file"), ("", "no pol")):
        with pytest.raises(PolicyError, match=word):
            read_policy(tmp_path / name)


def test_equal_policies_have_equal_hashes() -> None:
    assert parse_policy("[gate]\non_flagged='fail'", "a").sha256() == Policy().sha256()
    assert parse_policy("[gate]\non_flagged='warn'", "a").sha256() != Policy().sha256()
