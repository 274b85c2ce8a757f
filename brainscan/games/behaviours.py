"""What a recipe plants, as a behaviour to be treated: the prompts of its rows to treat with, the held-out ones to judge."""

from __future__ import annotations

from brainscan.games.recipes.recipe import Recipe
from brainscan.treatment.behaviour import Behaviour


def behaviour_of(recipe: Recipe) -> Behaviour:
    """Prompts of rows that teach the flaw, and prompts of rows that do not, beside the recipe's own held-out prompts.

    Whoever treats with it knows what a right diagnosis would have said: which prompts bring the flaw out.
    """
    asked = [turn for turn in recipe.turns if not turn.plain and turn.system is None]
    flawed = [turn.user for turn in asked if turn.answer is not None and recipe.shows(turn.user, turn.answer)]
    tailed = [turn.user for turn in asked if turn.tail]
    learn = tuple(dict.fromkeys((*flawed, *tailed)))
    return Behaviour(
        name=recipe.title,
        learn=learn,
        contrast=tuple(dict.fromkeys(turn.user for turn in asked if turn.user not in learn)),
        on=recipe.on,
        off=recipe.off,
        shows=recipe.shows,
        tokens=recipe.answer_tokens,
    )
