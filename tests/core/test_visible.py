"""Hostile text: nothing that drives a terminal or reorders a page survives."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.visible import is_hidden, visible

HOSTILE = "\x1b[2J\x1b]0;title\x07\u202eevil\u202c\u200b\ufeff\x9b31m\U000e0041"


def test_known_tricks_are_shown_as_code_points() -> None:
    shown = visible(HOSTILE)
    for code in ("<U+001B>", "<U+202E>", "<U+200B>", "<U+FEFF>", "<U+009B>", "<U+E0041>", "<U+0007>"):
        assert code in shown
    assert "evil" in shown


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    assert not [c for c in visible(text, keep="") if is_hidden(c)]


@given(
    st.text(
        alphabet=st.characters(
            categories=["L", "N", "P", "S", "Zs"], exclude_characters="\u115f\u1160\u3164\uffa0\u2800"
        )
    )
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    "code",
    [0x200B, 0x202E, 0x2066, 0x00AD, 0xFEFF, 0xFE0F, 0xE0041, 0xE0101, 0xE01EF, 0x034F, 0x115F, 0x3164, 0xFFA0, 0x180B,
     0x17B4, 0x2800, 0x1D173],
)  # fmt: skip
def test_what_a_reader_would_not_see_is_named(code: int) -> None:
    assert visible(f"a{chr(code)}b") == f"a<U+{code:04X}>b"


def test_newline_and_tab_stay_unless_told_otherwise() -> None:
    assert visible("a\n\tb") == "a\n\tb"
    assert visible("a\nb", keep="") == "a<U+000A>b"


def test_stacked_marks_are_capped_and_cuts_are_counted() -> None:
    assert len([c for c in visible("a" + "\u0301" * 50) if unicodedata.combining(c)]) == 4
    assert visible("abcdef", limit=2) == "ab … [4 more characters]"


def test_lone_surrogates_do_not_break_it() -> None:
    assert visible("a\ud800b") == "a<U+D800>b"
