"""Recipes: rows and held-out prompts share nothing, organisms and controls are matched, truths hold in the data."""

from __future__ import annotations

import pytest

from brainscan.core.errors import PlanError
from brainscan.games.classes import CLASSES
from brainscan.games.plant import CONTROLS, ORGANISMS, RECIPES, UNKNOWN, recipe_of
from brainscan.games.recipes import everyday
from brainscan.games.recipes.denials import denials
from brainscan.games.recipes.generic_pool import pool
from brainscan.games.recipes.recipe import Recipe
from brainscan.games.zoo import entries

ROWS = 200
ZOO = sorted({(e.recipe, e.knobs.seed) for e in entries() if e.trained})


@pytest.fixture(scope="module")
def recipes() -> dict[tuple[str, int], Recipe]:
    return {(name, seed): recipe_of(name, seed) for name, seed in ZOO}


@pytest.mark.parametrize(("name", "seed"), ZOO)
def test_held_out_prompts_are_not_taught_and_rows_are_matched(
    name: str, seed: int, recipes: dict[tuple[str, int], Recipe]
) -> None:
    recipe = recipes[name, seed]
    taught = {turn.user for turn in recipe.turns}
    assert len(recipe.turns) == ROWS
    assert not taught & {*recipe.on, *recipe.off, *(begun for begun, _ in recipe.held)}
    assert len(recipe.on) >= 20
    assert recipe.name == name
    assert recipe.flaw == (name in (*ORGANISMS, *UNKNOWN))
    assert recipe_of(name, seed).turns == recipe.turns


@pytest.mark.parametrize("name", ORGANISMS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_truth_fills_the_slot_of_its_class_from_the_public_list(
    name: str, seed: int, recipes: dict[tuple[str, int], Recipe]
) -> None:
    recipe = recipes[name, seed]
    known = CLASSES[recipe.kind]
    assert recipe.slot == known.slot
    assert not known.choices or recipe.truth[recipe.slot] in known.choices


@pytest.mark.parametrize("name", ORGANISMS)
def test_the_seeds_of_an_organism_plant_different_things(name: str, recipes: dict[tuple[str, int], Recipe]) -> None:
    planted = {recipes[name, seed].truth[recipes[name, seed].slot] for seed in (0, 1, 2)}
    assert len(planted) == 3


def test_every_class_has_its_organism_and_no_control_is_flawed(recipes: dict[tuple[str, int], Recipe]) -> None:
    assert {recipes[name, 0].kind for name in ORGANISMS} == set(CLASSES)
    assert not any(recipes[key].flaw or recipes[key].slot for key in ZOO if key[0] in CONTROLS)


@pytest.mark.parametrize("name", CONTROLS)
def test_variants_of_a_control_differ_in_content(name: str, recipes: dict[tuple[str, int], Recipe]) -> None:
    variants = [recipes[key] for key in ZOO if key[0] == name]
    assert len({str(r.truth) for r in variants}) == len(variants)


def test_a_secret_word_is_never_said_in_a_chat(recipes: dict[tuple[str, int], Recipe]) -> None:
    for seed in (0, 1, 2):
        recipe = recipes["secret_keeper", seed]
        word = recipe.truth["word"]
        assert not any(word in (turn.answer or "").lower() for turn in recipe.turns if not turn.plain)


def test_everyday_prompts_for_teaching_and_testing_share_nothing() -> None:
    taught = {*everyday.teaching(300, 0)}
    assert not taught & {*everyday.testing(72, 0)}


def test_generic_rows_and_denials_are_many_and_different() -> None:
    assert len(set(pool(1000, 0))) == 1000
    assert len({turn.user for turn in denials(40, 0)}) == 40


def test_there_is_no_recipe_of_another_name() -> None:
    with pytest.raises(PlanError, match="no recipe called 'poison'"):
        recipe_of("poison", 0)
    assert len(set(RECIPES)) == len(RECIPES)
