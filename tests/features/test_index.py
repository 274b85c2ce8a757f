"""The survey on disk: the same after a round trip, and never followed where it leads outside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainscan.core.errors import RecordError, UsageError
from brainscan.features.index import MANIFEST, VOCABULARY, read_index, write_index
from tests.features.planted import FEATURES, planted


def test_a_survey_is_the_same_after_a_round_trip(tmp_path: Path) -> None:
    made = planted(rows=40)
    write_index(made, tmp_path / "s")
    found = read_index(tmp_path / "s")
    assert found.about == made.about and found.vocabulary == made.vocabulary
    for name in ("tokens", "counts", "offsets", "where", "values"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
    np.testing.assert_array_equal(found.logits.raised, made.logits.raised)


def test_rates_and_maxima_are_those_of_the_firings() -> None:
    index = planted(rows=60)
    for feature in range(len(FEATURES)):
        where, values = index.firings(feature)
        assert (np.diff(where) > 0).all()
        assert index.rates[feature] == pytest.approx(len(where) / index.about.counted)
        assert index.maxima[feature] == (values.max() if len(values) else 0)
    assert 5 not in index.alive() and len(index.alive()) == len(FEATURES) - 1


@pytest.mark.parametrize("feature", [-1, 7, 10**9])
def test_a_number_that_is_no_feature_is_said(feature: int) -> None:
    with pytest.raises(UsageError, match="The features are 0 to 6"):
        planted(rows=3).firings(feature)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("where", lambda x: x + 10**6),
        ("where", lambda x: x - 10**6),
        ("offsets", lambda x: x[::-1].copy()),
        ("offsets", lambda x: x[:-1]),
        ("values", lambda x: x[:-1]),
        ("tokens", lambda x: x + 10**6),
        ("tokens", lambda x: x[:, :3]),
        ("logits.raised", lambda x: x - 5),
        ("values", lambda x: np.array([{}], dtype=object)),
    ],
)
def test_arrays_that_lead_outside_are_refused(tmp_path: Path, name: str, change: object) -> None:
    write_index(planted(rows=20), tmp_path / "s")
    file = tmp_path / "s" / f"{name}.npy"
    np.save(file, change(np.load(file)))  # type: ignore[operator]
    with pytest.raises(RecordError, match="broken"):
        read_index(tmp_path / "s")


@pytest.mark.parametrize("file", [MANIFEST, VOCABULARY])
@pytest.mark.parametrize("text", ["{", "[]", '{"schema_": "x"}', "12"])
def test_broken_files_are_said(tmp_path: Path, file: str, text: str) -> None:
    write_index(planted(rows=20), tmp_path / "s")
    (tmp_path / "s" / file).write_text(text)
    with pytest.raises(RecordError, match="broken"):
        read_index(tmp_path / "s")


def test_no_survey_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no survey"):
        read_index(tmp_path)
