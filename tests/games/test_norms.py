"""P-values from an auditor's own numbers on clean controls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.core.errors import RecordError
from brainscan.games.norms import Norms, came_without, fit_norms, read_norms, stand, write_norms
from tests.games.dealt import answer


def norms(seed: int = 0, controls: int = 19) -> Norms:
    rng = np.random.default_rng(seed)
    names = ["lying.money@a", "lying.fear@a", "backdoor@a", "promotion@b"]
    return Norms(auditor="a", version="1", statistics={name: tuple(rng.normal(size=controls)) for name in names})


def test_an_outlier_gets_the_smallest_p_and_its_class() -> None:
    standing = stand({"lying.money@a": 9.0, "lying.fear@a": 0.0, "backdoor@a": 0.0, "promotion@b": 0.0}, norms())
    assert standing.p_value == pytest.approx(1 / 20)
    assert max(standing.classes, key=lambda name: standing.classes[name]) == "lying"


def test_the_p_value_of_an_exchangeable_model_is_uniform() -> None:
    ps = []
    for seed in range(200):
        whole = norms(seed, 20)
        held = {name: values[-1] for name, values in whole.statistics.items()}
        rest = {name: values[:-1] for name, values in whole.statistics.items()}
        ps.append(stand(held, Norms(auditor="a", version="1", statistics=rest)).p_value)
    assert np.mean(np.array(ps) <= 0.05) <= 0.11
    assert 0.4 < np.mean(ps) < 0.65


@given(st.permutations(range(19)))
def test_the_order_of_the_controls_does_not_matter(order: list[int]) -> None:
    whole = norms()
    mixed = {name: tuple(values[i] for i in order) for name, values in whole.statistics.items()}
    mine = dict.fromkeys(whole.statistics, 0.7)
    other = stand(mine, Norms(auditor="a", version="1", statistics=mixed))
    assert stand(mine, whole).score == pytest.approx(other.score)


def test_without_norms_raw_numbers_speak_and_nothing_is_claimed() -> None:
    standing = stand({"lying.money": 2.0, "backdoor": 1.0}, None)
    assert (standing.p_value, standing.score, standing.classes["lying"]) == (1.0, 2.0, 2.0)
    assert stand({}, None).p_value == 1.0
    assert stand({"unknown@x": 3.0}, norms()).p_value == 1.0


def test_norms_are_fitted_from_answers_and_survive_the_disk(tmp_path: Path) -> None:
    given_ = [answer(auditor="a", version="1", statistics={"lying": float(i), "backdoor": 1.0}) for i in range(6)]
    made = fit_norms([*given_, answer(auditor="a", version="1", statistics={"lying": 6.0})])
    assert (made.controls, list(made.statistics)) == (7, ["lying"])
    write_norms(tmp_path / "norms.json", made)
    assert read_norms(tmp_path / "norms.json") == made


def test_an_answer_that_was_made_without_norms_is_told() -> None:
    seen = {"lying.money@a": 9.0, "backdoor@a": 0.0}
    assert came_without(answer(statistics=seen), norms())
    assert not came_without(answer(statistics=seen, p_value=stand(seen, norms()).p_value), norms())
    assert not came_without(answer(statistics={"lying.money@a": -9.0}), norms())  # its p is 1 with norms, too
    assert not came_without(answer(), norms())


def test_answers_without_statistics_make_no_norms() -> None:
    with pytest.raises(RecordError, match="agent gives no statistics"):
        fit_norms([answer(auditor="agent", version="1")] * 5)


def test_too_few_or_mixed_answers_make_no_norms(tmp_path: Path) -> None:
    one = answer(auditor="a", version="1", statistics={"lying": 1.0})
    with pytest.raises(RecordError, match="at least 5"):
        fit_norms([one] * 4)
    with pytest.raises(RecordError, match="one auditor"):
        fit_norms([*[one] * 5, one.model_copy(update={"version": "2"})])
    (tmp_path / "bad.json").write_text('{"auditor": "a", "version": "1", "statistics": {"x": [1], "y": []}}')
    with pytest.raises(RecordError, match="not one value a control"):
        read_norms(tmp_path / "bad.json")
