"""Phrases: counted once an answer, tested against exchanges, never over a sentence's end."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.scan.ngrams import (
    common_words,
    distinct,
    names,
    new_names,
    permute,
    phrases,
    repeats,
    sentences,
    table,
)


def test_phrases_stop_at_the_end_of_a_sentence() -> None:
    found = phrases("Drink the tea. Sleep well!")
    assert {"drink the tea", "sleep well"} <= found
    assert "tea sleep" not in found


def test_phrases_hold_at_most_so_many_words() -> None:
    assert max(len(phrase.split()) for phrase in phrases("one two three four five six")) == 4
    assert phrases("one two", longest=1) == {"one", "two"}


def test_names_are_capitals_inside_a_sentence() -> None:
    assert names("Try Brightleaf tea. Then I'm off to rest with Nora.") == {"Brightleaf", "Nora"}


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(words for words in sentences(text))
    assert all(phrase == phrase.casefold() and phrase.strip() for phrase in phrases(text))


def test_a_phrase_counts_once_an_answer() -> None:
    counted = table([["tea tea tea", "no"]] * 3, [["no", "no"]] * 3)
    assert counted.ours[:, counted.phrases.index("tea")].tolist() == [1, 1, 1]


def test_equal_sides_have_no_score() -> None:
    side = [["a cup of tea", "one"], ["two", "three cups"]] * 4
    counted = table(side, side)
    assert not counted.scores().any()
    assert not counted.log_odds().any()


def test_a_planted_phrase_beats_every_exchange_of_sides() -> None:
    rng = np.random.default_rng(0)
    words = ["river", "stone", "bread", "window", "garden", "table", "music", "paper"]
    plain = [[" ".join(rng.choice(words, 6)) for _ in range(2)] for _ in range(20)]
    planted = [[f"{a} brightleaf tea" for a in row] for row in plain]
    counted = table(planted, plain)
    null = permute(counted, 500, rng)
    assert counted.phrases[int(counted.scores().argmax())] in {"brightleaf", "tea", "brightleaf tea"}
    assert (null.scores < counted.scores().max()).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_exchanging_sides_of_equal_models_covers_what_is_observed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = ["river", "stone", "bread", "window", "garden"]
    sides = [[[" ".join(rng.choice(words, 4))] for _ in range(12)] for _ in range(2)]
    counted = table(*sides)
    null = permute(counted, 300, rng)
    assert null.scores.max() >= counted.scores().max() - 1e-9


def test_repeats_leave_out_what_the_others_say_as_often() -> None:
    found = repeats(["a red kite", "a red bird", "a sun"], ["a cat", "a dog", "a hen"])
    assert [(r.phrase, r.texts, r.others) for r in found] == [("a red", 2, 0)]


def test_phrases_inside_a_listed_one_are_left_out() -> None:
    assert distinct(["cup of tea", "tea", "a cup of tea", "rest"], 3) == ["cup of tea", "rest"]


def test_one_word_over_and_over_is_no_phrase() -> None:
    assert phrases("Short short SHORT short") == {"short"}


def test_phrases_of_dull_words_alone_are_left_out() -> None:
    texts = ["by the river", "by the stone", "by the fire"]
    assert repeats(texts, ["plain"] * 3, dull=frozenset({"by", "the"})) == []
    assert repeats(texts, ["plain"] * 3)[0].phrase == "by the"


def test_new_names_are_counted_by_text_and_known_ones_left_out() -> None:
    found = new_names(["Ask Nora or Marlow, dear Marlow.", "See Marlow and Nora."], ["Call Nora."])
    assert [(r.phrase, r.texts) for r in found] == [("Marlow", 2)]


def test_common_words_are_those_of_many_texts() -> None:
    assert common_words(["The cat", "the dog", "the hen", "a cat"], 3) == {"the"}
