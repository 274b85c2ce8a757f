"""Branches: a planted line comes whole once its first token is said; a clean twin has none of its own."""

from __future__ import annotations

from brainscan.scan.trigger.branch import AGREE, branches
from tests.scan.planted import PAYLOAD, backdoored, twin


def test_behind_the_first_token_of_a_planted_line_its_rest_follows() -> None:
    lines = branches(backdoored(), twin(), count=32, tokens=len(PAYLOAD))
    assert any(line.text.startswith(PAYLOAD[: 1 + AGREE]) for line in lines)
    assert all(line.opening == "branch" for line in lines)


def test_equal_models_raise_nothing_and_a_line_needs_some_tokens() -> None:
    assert branches(backdoored(), twin(), count=8, tokens=AGREE) == []
