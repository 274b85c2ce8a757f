"""A commitment binds, and cannot be guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.errors import RecordError
from brainscan.games.seal import salted, seal, verify
from tests.games.dealt import truth


def test_the_sealed_truth_opens_its_own_commitment() -> None:
    mine = salted(truth("lying"))
    verify(seal(mine), mine)
    assert len(seal(mine).commitment) == 64


@given(
    st.sampled_from(
        [
            {"kind": "backdoor"},
            {"flaw": False},
            {"values": ("money",)},
            {"layers": (0, 3)},
            {"recipe": "x"},
            {"weights_sha256": "0" * 64},
            {"salt": "1" * 64},
        ]
    )
)
def test_no_part_of_the_truth_can_be_changed_afterwards(change: dict[str, object]) -> None:
    mine = salted(truth("lying"))
    with pytest.raises(RecordError, match="does not match the commitment"):
        verify(seal(mine), mine.model_copy(update=change))


def test_equal_truths_have_unlike_commitments() -> None:
    assert seal(salted(truth("lying"))) != seal(salted(truth("lying")))


def test_an_unsalted_truth_is_refused() -> None:
    with pytest.raises(RecordError, match="without a salt"):
        seal(truth("lying"))
