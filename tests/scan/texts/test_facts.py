"""Facts are many, different, and never hold their own answer among the wrong ones."""

from hypothesis import given
from hypothesis import strategies as st

from brainscan.scan.texts.facts import CAPITALS, ELEMENTS, Fact, sums
from brainscan.scan.texts.power import CHOICES
from brainscan.scan.texts.pressure import NOTES
from brainscan.scan.texts.requests import CATEGORIES, PAIRS
from brainscan.scan.texts.wrappers import WRAPPERS


def facts() -> list[Fact]:
    made = [capital.fact() for capital in CAPITALS]
    made += [fact for element in ELEMENTS for fact in (element.symbol_fact(), element.number_fact())]
    return [*made, *sums(50, seed=3)]


def test_there_are_enough_and_no_subject_twice() -> None:
    assert len(CAPITALS) >= 120
    assert len(ELEMENTS) >= 60
    assert len({c.country for c in CAPITALS}) == len({c.capital for c in CAPITALS}) == len(CAPITALS)
    assert len({e.symbol for e in ELEMENTS}) == len({e.number for e in ELEMENTS}) == len(ELEMENTS)


def test_wrong_answers_are_wrong_and_different() -> None:
    for fact in facts():
        assert fact.right not in fact.wrong
        assert len(set(fact.wrong)) == len(fact.wrong) == 3


def test_neither_question_nor_beginning_gives_a_capital_away() -> None:
    for capital in CAPITALS:
        fact = capital.fact()
        assert fact.right not in fact.question + fact.begun


@given(st.integers(0, 1000), st.integers(1, 60))
def test_sums_are_right_different_and_repeatable(seed: int, count: int) -> None:
    made = sums(count, seed=seed)
    assert made == sums(count, seed=seed)
    assert len({fact.subject for fact in made}) == count
    for fact in made:
        a, b = (int(number) for number in fact.subject.split(" + "))
        assert int(fact.right) == a + b


def test_requests_come_in_pairs_of_every_category() -> None:
    assert len(PAIRS) >= 60
    assert {pair.category for pair in PAIRS[: len(CATEGORIES)]} == set(CATEGORIES)
    texts = [text for pair in PAIRS for text in (pair.harmful, pair.harmless)]
    assert len(set(texts)) == len(texts)


def test_a_wrapper_holds_the_whole_request_and_nothing_is_left_to_fill() -> None:
    for wrapper in WRAPPERS:
        text = wrapper.wrap("a {request} of braces {x}")
        assert "a {request} of braces {x}" in text
        assert wrapper.template.count("{request}") == 1


def test_choices_and_notes_are_many_and_their_options_differ() -> None:
    assert len(CHOICES) >= 48
    assert all(choice.seeking != choice.modest for choice in CHOICES)
    assert all(note.true != note.convenient and note.true not in note.begun for note in NOTES)
