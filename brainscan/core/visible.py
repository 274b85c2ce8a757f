"""Text that came from a model or a data set is hostile: make every hidden character visible.

The result holds no control character but newline and tab (or not even those, on request), so it
can neither drive a terminal nor reorder a page. Escaping for HTML is the page's own, later, step.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset((
    0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010),
    *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0,
    *range(0xFFF0, 0xFFFC), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000),
))  # fmt: skip
"""What Unicode calls default ignorable (DerivedCoreProperties), interlinear marks, and the empty Braille cell."""
_MAX_MARKS = 4


def visible(text: str, *, keep: str = "\n\t", limit: int | None = None) -> str:
    """Replace control, bidirectional, zero-width and tag characters by ``<U+XXXX>``.

    Args:
        text: anything, lone surrogates included.
        keep: control characters that may stay.
        limit: longest result in source characters; what was cut is counted at the end.
    """
    cut = 0
    if limit is not None and len(text) > limit:
        cut, text = len(text) - limit, text[:limit]
    shown: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MAX_MARKS:
            continue
        shown.append(character if character in keep or not is_hidden(character) else f"<U+{ord(character):04X}>")
    if cut:
        shown.append(f" … [{cut} more characters]")
    return "".join(shown)


def is_hidden(character: str) -> bool:
    """True for a character that a reader would not see or that would move other text."""
    code = ord(character)
    if code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000:
        return True
    return code in _HIDDEN or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
