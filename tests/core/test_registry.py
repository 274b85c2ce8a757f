"""Registries: lazy, unique, and clear about what they do not have."""

from __future__ import annotations

import sys

import pytest

from brainscan.core.errors import PlanError
from brainscan.core.registry import Registry


def registry() -> Registry[object]:
    return Registry("a thing", "brainscan.nothing", {"path": "pathlib:Path", "far": "no.such.module:Thing"})


def test_listing_imports_nothing() -> None:
    assert registry().names() == ("path", "far")
    assert "no.such" not in sys.modules


def test_a_thing_is_imported_when_asked_for() -> None:
    from pathlib import Path

    assert registry().get("path") is Path


def test_a_taken_name_is_refused() -> None:
    things = registry()
    things.add("mine", 1)
    assert things.get("mine") == 1
    for name in ("mine", "path"):
        with pytest.raises(PlanError, match="already a thing called"):
            things.add(name, 2)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(PlanError, match=r"such thing as a thing called 'x'\. Choose one of: path, far"):
        registry().get("x")


def test_a_lent_thing_is_gone_after_the_block_even_after_an_error() -> None:
    things = registry()
    with pytest.raises(ValueError, match="broken"), things.lent("mine", 1):
        assert things.get("mine") == 1 and "mine" in things.names()
        raise ValueError("broken")
    assert "mine" not in things.names()
    with pytest.raises(PlanError), things.lent("path", 1):
        pass
    assert "path" in things.names()
