"""The tree of errors: drawn truly, and every message says a cause and a next step."""

from __future__ import annotations

import re

from brainscan.core import errors


def test_the_drawn_tree_names_every_error() -> None:
    drawn = set(re.findall(r"^    (?:[│ ]*[├└]── )?([A-Z]\w+) ", errors.__doc__ or "", re.MULTILINE))
    real = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert drawn == real


def test_a_message_is_the_cause_and_then_the_next_step() -> None:
    error = errors.UsageError("The cause.", "The next step.")
    assert str(error) == "The cause. The next step."
    assert error.exit_code == 3
    assert errors.SelfCheckFailed("a", "b").exit_code == 2


def test_a_missing_extra_names_the_command() -> None:
    assert "pip install 'brainscan[serve]'" in str(errors.MissingExtra("fastapi", "serve"))
