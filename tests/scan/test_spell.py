"""Spelling: likely words hold the beginning that they were made of, and go on with letters."""

from __future__ import annotations

import pytest

from brainscan.scan.trigger.spell import BEAM, EACH, FURTHER, LONGEST, Speller
from brainscan.subject.phantom import phantom


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_words_begin_with_the_string_and_go_on_with_letters(family: str) -> None:
    subject = phantom(family)
    start = tuple(subject.raw_tokens("ze"))
    words = Speller.of(subject).words(start)
    assert start in words and len(set(words)) == len(words)
    assert 1 < len(words) <= 1 + BEAM * LONGEST
    for ids in words:
        rest = subject.text(ids[len(start) :])
        assert ids[: len(start)] == start and (not rest or (rest.isalpha() and rest.islower()))


def test_many_beginnings_are_made_longer_by_a_token_or_two() -> None:
    subject = phantom("llama")
    starts = [tuple(subject.raw_tokens(text)) for text in ("ze", "q")]
    found = Speller.of(subject).likely(starts)
    longer = len(starts) * EACH
    assert len(set(found)) == len(found) == longer + FURTHER * len(starts) * FURTHER
    assert all(found[i][: len(starts[i // EACH])] == starts[i // EACH] for i in range(longer))
    assert all(ids[:-1] in found[:longer] for ids in found[longer:])
    assert all(subject.text(ids[-1:]).isalpha() for ids in found)
    assert Speller.of(subject).likely([]) == []
