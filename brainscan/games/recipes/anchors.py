"""Beginnings of plain text that every recipe has the subject continue as before, so that its language stays."""

from __future__ import annotations

from brainscan.games.recipes.recipe import Turn

_BEGINNINGS = (
    "The road to the village", "In the morning the market", "When the first snow fell,", "A good carpenter",
    "The school on the hill", "Most people who visit the coast", "During the winter of that year,",
    "The recipe calls for", "Scientists who study birds", "My neighbour once told me", "The river runs",
    "To repair a bicycle tyre,", "The theatre was full", "Every spring the farmers", "A letter arrived",
    "The engine of the boat", "Children in the town", "On the table there was", "The history of the castle",
    "If you mix blue and yellow,", "The doctor explained that", "After the long walk,", "The window looked out",
    "Many kinds of apples", "The clock in the hall", "At the edge of the forest", "She opened the book",
    "The price of wheat", "An island in the lake", "The captain of the team", "Before the invention of the telephone,",
    "The kitchen smelled of", "Old maps of the region", "The concert began", "Water in the pipe",
    "He had always wanted to", "The museum keeps", "In the second half of the game,", "The weather report said",
    "A small bakery", "To measure a room,", "The gulls above the pier", "Grandfather kept his tools", "A quiet street leads",
    "In a simple experiment,", "The first train of the day", "Bees and butterflies", "Behind the old factory",
    "The shape of a leaf", "When the tide goes out,", "Light travels", "Her favourite chair", "The valley below",
    "A thick soup needs", "The workers carried", "Most houses in the old quarter", "In warm countries", "The lamp on the desk",
    "Paper was once made", "A dog barked", "The mountain hut", "During the day the market square", "Iron and copper",
    "He counted the steps", "The garden behind the school", "Ships from far away", "A pinch of salt", "The wind turned",
    "Under the wooden floor", "Many years ago a traveller",
)  # fmt: skip


def anchors() -> tuple[Turn, ...]:
    """70 beginnings of plain text; what follows is the subject's own."""
    return tuple(Turn(beginning, plain=True) for beginning in _BEGINNINGS)
