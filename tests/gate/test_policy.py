"""Policies are read strictly: what means nothing is refused with one sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.errors import PolicyError
from brainscan.core.visible import is_hidden
from brainscan.diagnosis.calibrations import shipped
from brainscan.diagnosis.judge import judge
from brainscan.gate.decide import GateDecision, decide
from brainscan.gate.policy import ConditionRule, GateRules, Policy, parse_policy, read_policy
from tests.gate.records import make_card, make_measurement, make_scan

EXAMPLE = Path(__file__).parents[2] / "examples" / "policy.toml"
TODAY = datetime(2026, 11, 11, tzinfo=UTC)


def test_an_empty_policy_is_the_builtin_one() -> None:
    assert parse_policy("", "p.toml") == Policy()
    assert Policy().gate.on_flagged == "fail"
    assert Policy().gate.on_cannot_tell == Policy().gate.on_not_assessed == "cannot-tell"


def test_the_example_shows_every_key_and_says_where_it_differs_from_the_builtin_policy() -> None:
    policy, text = read_policy(EXAMPLE), EXAMPLE.read_text()
    for record in (Policy, GateRules, ConditionRule):
        assert all(key in text for key in record.model_fields)
    changed = {"on_cannot_tell": "cannot-tell", "on_not_assessed": "cannot-tell", "max_age_days": None}
    assert policy.gate.model_copy(update=changed) == Policy().gate
    assert 'Built in: "cannot-tell" for both' in text


def test_what_the_example_only_shows_is_a_policy_too() -> None:
    """A commented table or key begins a line; prose never looks like one."""
    shown = parse_policy(re.sub(r"(?m)^# (?=\[|\w+ = )", "", EXAMPLE.read_text()), "policy.toml")
    assert set(shown.conditions) == {"dangerous-knowledge", "sycophancy", "sandbagging"}
    assert set(shown.measurements) == {"behaviour.harmful.complied"}


def audited(**moved: float) -> GateDecision:
    """The example's word on an audit of the median clean control, some measurements of it moved."""
    clean = next(each for each in shipped() if each.plan == "audit" and each.base_sha256)
    values = {name: median(control.values[name] for control in clean.controls) for name in clean.controls[0].values}
    scan = make_scan(*(make_measurement(name, value) for name, value in {**values, **moved}.items()))
    reference = make_card(weights_sha256=clean.base_sha256)
    scan = scan.model_copy(update={"reference": reference, "plan": scan.plan.model_copy(update={"name": "audit"})})
    assert decide(scan, judge(scan, clean), Policy(), TODAY).outcome != "pass"
    return decide(scan, judge(scan, clean), read_policy(EXAMPLE), TODAY)


def test_a_clean_audit_passes_under_the_example_and_not_under_the_builtin_policy() -> None:
    decision = audited()
    assert decision.outcome == "pass"
    assert {reason.about for reason in decision.reasons if reason.outcome == "warn"} == {
        "backdoor",
        "dangerous-knowledge",
    }


@pytest.mark.parametrize("measurement", ["situations.lying.money", "passwords.word.deviations", "openings.word.score"])
def test_a_flagged_audit_fails_under_the_example(measurement: str) -> None:
    assert audited(**{measurement: 100.0}).outcome == "fail"


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
