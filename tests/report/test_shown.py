import re

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from brainscan.core.visible import is_hidden
from brainscan.report.shown import EXCERPT, coloured, plain_token, shown
from tests.samples import HOSTILE

SPAN = re.compile(r"</?(?:bdi|span|sub)(?: class=\"[a-z0-9 -]+\")?>|<br>")


def test_hostile_text_becomes_text() -> None:
    markup = shown(HOSTILE)
    assert "<script" not in markup
    assert "<img" not in markup
    for code in ("U+202E", "U+200B", "U+001B", "U+0007"):
        assert f'<span class="cp">{code}</span>' in markup


@given(st.text())
def test_no_text_can_add_markup_or_hidden_characters(text: str) -> None:
    rest = SPAN.sub("", shown(text))
    assert "<" not in rest
    assert ">" not in rest
    assert not [c for c in rest if is_hidden(c) and c not in "\n\t"]


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=50))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == f"<bdi>{escape(text)}</bdi>"


def test_what_is_cut_is_counted() -> None:
    assert "… 5 more characters" in shown("x" * (EXCERPT + 5))
    assert "more characters" not in shown("x" * EXCERPT)


def test_tokens_take_five_linear_steps_and_the_top_three_their_number() -> None:
    run = coloured(["a", "b", "c", "d", "e", "f"], [1.0, 0.8, 0.6, 0.4, 0.2, 0.0])
    assert re.findall(r'"t w(\d)"', run.markup) == ["5", "4", "3", "2", "1", "0"]
    assert re.findall(r"<sub>([^<]*)</sub>", run.markup) == ["1", "0.8", "0.6"]
    assert run.largest == 1.0


def test_negative_scores_carry_no_shade_and_are_counted() -> None:
    run = coloured(["a", "b"], [-3.0, 1.0])
    assert re.findall(r'"t w(\d)"', run.markup) == ["0", "5"]
    assert run.negative == 1


def test_tokens_without_matching_scores_are_plain() -> None:
    assert 'class="t w0"' in coloured(["a"], []).markup
    assert "<sub>" not in coloured(["a", "b"], [1.0]).markup


def test_white_space_is_visible_in_tokens() -> None:
    assert all(sign in coloured([" a\n\t"], [1.0]).markup for sign in "␣↵⇥")
    assert plain_token(" a\n") == "␣a↵"
    assert plain_token("\u202eabc") == "<U+202E>abc"
    assert plain_token("x" * 99, 10) == "x" * 9 + "…"


def test_stacked_marks_are_capped() -> None:
    assert shown("a" + "\u0301" * 50).count("\u0301") == 4
