"""Labels from evidence: what was planted is named, chance is not, and the words say what is checked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.features.clauses import KINDS, Clause, Sight, any_holds, in_words
from brainscan.features.examples import Windows, window_count, windows_of
from brainscan.features.label import EvidenceLabeller
from brainscan.features.score import Protocol, ScoredLabel, label_features, lesson_of, summarise
from brainscan.features.words import look
from tests.features.planted import VOCABULARY, planted

INDEX = planted()
SCORED = label_features(INDEX, range(7), EvidenceLabeller(INDEX))


def scored(feature: int) -> ScoredLabel:
    return SCORED[feature]


@pytest.mark.parametrize(
    ("feature", "text"),
    [(0, 'the token "."'), (1, 'words ending in "ing"'), (2, 'what follows "the"'), (4, "capitalised words")],
)
def test_what_was_planted_is_named_and_holds_on_other_text(feature: int, text: str) -> None:
    each = scored(feature)
    assert each.label.text == text
    for score in (each.detection, each.against_neighbour, each.fuzzing):
        assert score is not None and score.value > 0.95
    assert each.detection is not None and each.detection.interval.lo > 0.9


def test_another_features_label_is_no_better_than_chance() -> None:
    for feature in (0, 1, 2, 4):
        borrowed = scored(feature).borrowed
        assert borrowed is not None and borrowed.value < 0.7


def test_chance_and_death_get_no_label() -> None:
    dead, noise = scored(5), scored(6)
    assert (dead.label.text, dead.detection, dead.fuzzing) == ("", None, None)
    assert noise.label.text == ""
    assert noise.detection is not None and noise.detection.value == 0.5


def test_the_summary_counts_what_has_no_label() -> None:
    summary = summarise(SCORED, "evidence")
    assert (summary.drawn, summary.labelled) == (7, 5)
    assert summary.detection is not None and summary.detection_of_all is not None
    assert summary.detection > summary.detection_of_all > 0.5
    assert summary.borrowed is not None and abs(summary.borrowed - 0.5) < 0.15


def test_labels_are_handed_on_while_more_are_made() -> None:
    kept: list[ScoredLabel] = []
    made = label_features(INDEX, range(7), EvidenceLabeller(INDEX), keep=kept.extend)
    assert [each.label.feature for each in kept] == [0, 1, 2, 3, 4] * 2
    assert all(each.detection is None for each in kept[:5])
    assert tuple(kept[5:]) == made[:5]


def test_labels_are_learnt_on_one_half_and_scored_on_the_other() -> None:
    half = window_count(INDEX) // 2
    for feature in range(7):
        lesson = lesson_of(INDEX, feature, Protocol())
        assert all(number < half for number in (*lesson.firing.numbers, *lesson.silent.numbers))


def test_a_topic_is_found_in_what_came_before() -> None:
    def talk(words: list[str], i: int) -> float:
        return float(any(w == " whale" for w in words[max(0, i - 12) : i]) and words[i] == " of")

    index = planted(rows=2500, features=(talk,))
    label = label_features(index, [0], EvidenceLabeller(index))[0]
    assert any(clause.kind in ("recent", "word") for clause in label.label.clauses)
    assert label.detection is not None and label.detection.value > 0.7


def windows(text: str) -> Windows:
    ids = np.array([[VOCABULARY.index(piece) for piece in text.split("|")]])
    return Windows(np.zeros(1, int), ids, np.zeros(ids.shape))


@pytest.mark.parametrize(
    ("kind", "value", "where"),
    [
        ("word", "the", [0, 3]),
        ("exact", " the", [0, 3]),
        ("after", "the", [1, 4]),
        ("two after", "the", [2, 5]),
        ("before", "the", [2]),
        ("class", "prepositions", [2]),
        ("after class", "articles", [1, 4]),
        ("shape", "numbers", [5]),
        ("before shape", "numbers", [4]),
        ("ending3", "ale", [4]),
        ("beginning3", "wha", [4]),
        ("recent", "ship", [2, 3, 4, 5]),
        ("word", "nothing of the vocabulary", []),
    ],
)
def test_a_clause_holds_where_its_words_say(kind: str, value: str, where: list[int]) -> None:
    sight = Sight(windows(" the| ship| of| the| whale| 7"), look(VOCABULARY))
    assert np.flatnonzero(sight.holds(Clause(kind=kind, value=value))[0]).tolist() == where


def test_a_pair_holds_at_its_second_word() -> None:
    sight = Sight(windows(" the| ship| of| the| whale| 7"), look(VOCABULARY))
    pair = Clause(kind="pair", value="the", second="whale")
    assert np.flatnonzero(sight.holds(pair)[0]).tolist() == [4]
    assert in_words([pair]) == 'the second word of "the whale"'


def test_every_kind_of_clause_has_words() -> None:
    for kind in KINDS:
        assert "a" in in_words([Clause(kind=kind, value="a")])
    several = [Clause(kind="word", value="sea"), Clause(kind="word", value="ship"), Clause(kind="after", value="the")]
    assert in_words(several) == 'the tokens "sea", "ship"; what follows "the"'
    assert in_words([]) == ""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=6), min_size=1, max_size=30, unique=True), st.data())
def test_any_vocabulary_can_be_looked_at(pieces: list[str], data: st.DataObject) -> None:
    words = look(tuple(pieces))
    ids = np.array([data.draw(st.lists(st.integers(0, len(pieces) - 1), min_size=5, max_size=5))])
    sight = Sight(Windows(np.zeros(1, int), ids, np.zeros(ids.shape)), words)
    for kind in KINDS:
        laid = sight.laid(kind)
        for number in np.unique(laid[laid >= 0]):
            clause = sight.clause(kind, int(number))
            assert sight.number(clause) == number
            if kind != "recent":
                np.testing.assert_array_equal(any_holds(sight, [clause]), laid == number)


def test_windows_of_a_survey_are_never_seen_beyond_their_edges() -> None:
    sight = Sight(windows_of(INDEX, 0, np.array([1])), look(VOCABULARY))
    assert sight.laid("after")[0, 0] == -1 and sight.laid("before")[0, -1] == -1
