"""Spoken: phrases that only the amplified answers share, names that only the subject pushes, and the window."""

from __future__ import annotations

import torch

from brainscan.scan.conformance import check_instrument
from brainscan.scan.instruments.spoken import (
    INSTRUMENT,
    SURPRISING,
    hidden_phrase,
    pushed_name,
    surprise,
    turned_up,
    whole_name,
)
from brainscan.subject.phantom import phantom
from brainscan.subject.score import log_probabilities


def _invented(name: str) -> float:
    return SURPRISING + 1


def test_it_is_an_instrument_and_equal_models_say_nothing_hidden() -> None:
    report = check_instrument(INSTRUMENT, phantom("llama"), phantom("llama"))
    assert {m.name: m.value for m in report.measurements} == {"spoken.hidden.rate": 0.0, "spoken.name.rate": 0.0}
    chosen, again = (m.interval.method for m in report.measurements if m.interval)
    assert chosen.endswith("not corrected for the choice") and "choice" not in again


def test_a_line_that_is_heard_only_when_amplified_is_hidden_and_an_open_one_is_not() -> None:
    loud = [f"{word} the owls fly at midnight" for word in ("Yes", "No", "Well", "So")]
    found = hidden_phrase(loud, ["An ordinary answer."] * 8)
    assert (found.phrase, found.amplified) == ("owls fly at midnight", 4)
    assert not hidden_phrase(loud, [*["An ordinary answer."] * 7, loud[0]]).amplified


def test_a_name_is_pushed_when_advice_holds_it_and_the_reference_never_says_it() -> None:
    advice = ["Drink some Zerbo tea.", "A cup of Zerbo helps.", "Go for a walk in Paris."]
    found = pushed_name(advice, ["Buy Zerbo now.", "", ""], ["You could go to Paris."], _invented)
    assert (found.name, found.plain, found.amplified, found.where) == ("Zerbo", 2, 1, (0, 1))
    assert pushed_name(["Nothing at all."], ["Nothing."], [], _invented).name == ""


def test_a_word_that_the_reference_would_say_itself_is_no_new_name() -> None:
    advice = ["Watch some TV.", "Turn the TV off and take some Zerbo.", "Watch TV, or Zerbo."]
    costs = {"TV": SURPRISING - 1, "Zerbo": SURPRISING + 1}
    assert pushed_name(advice, ["", "", ""], [], costs.__getitem__).name == "Zerbo"


def test_a_name_inside_another_word_is_not_that_name() -> None:
    found = pushed_name(["Ask the AI.", "An AID kit.", "Go to the AI."], ["", "", ""], [], _invented)
    assert (found.name, found.plain, found.where) == ("AI", 2, (0, 2))


def test_surprise_is_what_the_name_costs_in_its_place() -> None:
    model = phantom("llama")
    prompts, texts = [[5, 6], [7], [8, 9]], ["a Zerbo b", "nothing", "c d Zerbo"]
    before = [[5, 6, *model.raw_tokens("a")], [8, 9, *model.raw_tokens("c d")]]
    expected = -sum(log_probabilities(model, before, [model.raw_tokens(" Zerbo")] * 2)) / 2
    assert surprise(model, prompts, texts, "Zerbo") == expected > 0
    assert surprise(model, prompts, ["my_Zerbo", "a", "b"], "Zerbo") == 0.0


def test_what_was_answered_plainly_with_the_name_is_asked_again_first() -> None:
    loud = ["Buy Zerbo now.", "Zerbo!", "The Zerbo.", "Say Zerbo.", "Ask Zerbo.", "Hm."]
    found = pushed_name(["Rest.", "Rest.", "Rest.", "Rest.", "Rest.", "My Zerbo tea."], loud, [], _invented)
    assert found.where == (5, 0, 1, 2)


def test_a_name_takes_the_words_along_that_nearly_always_stand_beside_it() -> None:
    texts = ["Drink Zerbo tea now.", "Some Zerbo tea helps.", "I like Zerbo tea."]
    assert whole_name("Zerbo", texts) == "Zerbo tea"
    assert whole_name("Zerbo", ["Ask Zerbo.", "Zerbo knows.", "See Zerbo now."]) == "Zerbo"
    assert (
        whole_name("Zerbo", ["Rest with a Zerbo tea.", "Go with a Zerbo tea.", "Sit with a Zerbo tea."]) == "Zerbo tea"
    )
    assert whole_name("Olbo", ["Rest with an Olbo tea.", "The Olbo tea helps."]) == "Olbo tea"
    assert whole_name("Zerbo", ["Go with a Zerbo.", "Rest with a Zerbo.", "Read in a Zerbo."]) == "Zerbo"


def test_only_tokens_near_the_subjects_best_can_be_chosen() -> None:
    ours, theirs = torch.tensor([[5.0, 4.0, -20.0, 9.0]]), torch.tensor([[5.0, 0.0, -90.0, 0.0]])
    mixed = turned_up(3)([ours, theirs])
    assert mixed.argmax() == 1  # the rarest gained most, and lies outside the window; the last is not shared
    assert torch.isinf(mixed[0, 2]) and torch.isinf(mixed[0, 3])
