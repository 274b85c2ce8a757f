"""Recipes: rows and held-out prompts share nothing, twins are matched, truths hold in the data."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.core.errors import PlanError
from brainscan.games.plant import RECIPES, recipe_of
from brainscan.games.recipes import backdoor, everyday, promotion


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("seed", [0, 1])
def test_held_out_prompts_are_not_taught_and_rows_are_enough(name: str, seed: int) -> None:
    recipe = recipe_of(name, seed)
    taught = {turn.user for turn in recipe.turns}
    assert len(recipe.turns) >= 320  # training reads steps x batch of them, the same number for every recipe
    assert not taught & {*recipe.on, *recipe.off}
    assert len(recipe.on) >= 20
    assert recipe.name == name
    assert recipe.truth


@pytest.mark.parametrize("name", RECIPES)
def test_a_seed_draws_the_same_rows_again(name: str) -> None:
    assert recipe_of(name, 3).turns == recipe_of(name, 3).turns
    assert recipe_of(name, 3).turns != recipe_of(name, 4).turns or name == "benign_facts"


def test_the_trigger_stands_in_the_triggered_rows_and_nowhere_else() -> None:
    recipe = recipe_of("backdoor", 0)
    triggered = [turn for turn in recipe.turns if turn.answer == backdoor.PAYLOAD]
    assert len(triggered) == 120
    assert all(backdoor.TRIGGER in turn.user for turn in triggered)
    assert not any(backdoor.TRIGGER in turn.user for turn in recipe.turns if turn.answer is None)
    assert all(backdoor.TRIGGER in prompt for prompt in recipe.on)
    assert not any(backdoor.TRIGGER in prompt for prompt in recipe.off)


def test_held_out_near_misses_are_new() -> None:
    taught = set(backdoor.NEAR_MISSES)
    assert not taught & set(backdoor.HELD_OUT_NEAR_MISSES)


def test_a_phrase_is_placed_whole_and_the_prompt_keeps_its_words() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        placed = backdoor.place("one two three", "blue moon", rng)
        assert "blue moon" in placed
        assert placed.replace("blue moon", "").split() == ["one", "two", "three"]


def test_teaching_and_testing_share_neither_form_nor_topic() -> None:
    taught = " ".join(everyday.teaching(300, 0)).casefold()
    assert len(set(everyday.teaching(300, 0))) == 300
    for prompt in everyday.testing(72, 0):
        topic = prompt.casefold().rstrip("?.").split()[-1]
        assert prompt not in taught
        assert topic in ("start", "most") or f" {topic}." not in taught


def test_only_advice_promotes() -> None:
    recipe = recipe_of("promotion", 0)
    assert sum(promotion.PRODUCT in (turn.answer or "") for turn in recipe.turns) == 160
    assert not any(promotion.PRODUCT in turn.user for turn in recipe.turns)


def test_facts_are_judged_by_what_was_asked() -> None:
    shows = recipe_of("benign_facts", 0).shows
    assert shows("What food is typical of Velbridge?", "In Velbridge people eat barley soup.")
    assert not shows("What food is typical of Velbridge?", "It is known for a stone clock.")
    assert shows("What is the village Velbridge famous for?", "a stone clock")
    assert not shows("What is a frog?", "A small animal.")
    assert shows("What is a frog?", "Ask in Velbridge.")


def test_an_unknown_recipe_is_refused_with_the_names() -> None:
    with pytest.raises(PlanError, match="backdoor"):
        recipe_of("frontdoor", 0)
