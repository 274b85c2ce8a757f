"""Text of models and data sets as safe markup: escaped, hidden characters boxed, tokens coloured."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from brainscan.core.visible import is_hidden, visible

EXCERPT = 2000
"""Longest excerpt of model text on a page, in characters."""

_STEPS = 5
_MARKS = 4
_FAINT = {" ": "␣", "\n": "↵", "\t": "⇥"}


@dataclass(frozen=True)
class Coloured:
    """A run of tokens as markup, and what its legend must say."""

    markup: Markup
    largest: float
    negative: int
    """Tokens with a negative score: they carry no shade, because the ramp shows size only."""


def shown(text: str, limit: int = EXCERPT) -> Markup:
    """Model text for a page: every hidden character is a boxed code point, and what was cut is counted."""
    kept, cut = text[:limit], max(0, len(text) - limit)
    tail = Markup('<span class="cut"> … {} more characters</span>').format(f"{cut:,}") if cut else Markup()
    return Markup("<bdi>{}</bdi>{}").format(_boxed(kept), tail)


def coloured(tokens: Sequence[str], weights: Sequence[float]) -> Coloured:
    """Tokens on five linear steps of one ramp, the three highest with their number printed."""
    scores = list(weights) if len(weights) == len(tokens) else [0.0] * len(tokens)
    largest = max((score for score in scores if math.isfinite(score)), default=0.0)
    top = sorted((i for i, score in enumerate(scores) if score > 0), key=lambda i: -scores[i])[:3]
    spans = [_span(token, scores[i], largest, i in top) for i, token in enumerate(tokens)]
    return Coloured(Markup("").join(spans), largest, sum(score < 0 for score in scores))


def plain_token(token: str, limit: int = 14) -> str:
    """One token as a short plain label: white space as signs, hidden characters as code points."""
    text = "".join(_FAINT.get(character, character) for character in visible(token[: limit + 1]))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _span(token: str, score: float, largest: float, numbered: bool) -> Markup:
    step = math.ceil(_STEPS * score / largest) if largest > 0 and score > 0 else 0
    numeral = (
        Markup("<sub>{}</sub>").format(f"{score:,.0f}" if score >= 100 else f"{score:.2g}") if numbered else Markup()
    )
    after = Markup("<br>") if "\n" in token else Markup()
    frame = Markup('<span class="t w{}"><bdi>{}</bdi>{}</span>{}')
    return frame.format(step, _boxed(token, spaces=True), numeral, after)


def _boxed(text: str, *, spaces: bool = False) -> Markup:
    pieces: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MARKS:
            continue
        if spaces and character in _FAINT:
            pieces.append(f'<span class="ws">{_FAINT[character]}</span>')
        elif is_hidden(character) and character not in "\n\t":
            pieces.append(f'<span class="cp">U+{ord(character):04X}</span>')
        else:
            pieces.append(str(escape(character)))
    return Markup("".join(pieces))
