"""A scan that looks through a dictionary: the instrument is there for that scan, its labels are shown, and then it is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.clinic.examine import Request, examine, plan_only
from brainscan.clinic.through import looking_through
from brainscan.core.errors import RecordError
from brainscan.dictionary.formats.format import write_dictionary
from brainscan.scan.instrument import INSTRUMENTS
from tests.phantoms import tiny_llama
from tests.scan.test_dictionary import dictionary


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tiny_llama(tmp_path / "subject", seed=1)
    tiny_llama(tmp_path / "reference")
    write_dictionary(dictionary(), tmp_path / "sae")
    return tmp_path


def request(place: Path) -> Request:
    return Request(
        str(place / "subject"), str(place / "reference"), only=("dictionary",), dictionary=str(place / "sae")
    )


def test_a_scan_looks_through_the_dictionary_it_was_given(place: Path) -> None:
    plan, _ = plan_only(request(place))
    (step,) = plan.steps
    assert step.instrument == "dictionary" and not step.skip
    scan = examine(request(place)).scan
    assert set(scan.measurements()) == {"dictionary.features.changed", "dictionary.best_feature.auroc"}
    assert "dictionary" not in INSTRUMENTS.names()


def test_another_dictionary_is_another_plan(place: Path) -> None:
    first, _ = plan_only(request(place))
    made = dictionary("resid_post.1")
    made.W_enc.mul_(2)
    write_dictionary(made, place / "sae2")
    second, _ = plan_only(Request(**{**vars(request(place)), "dictionary": str(place / "sae2")}))
    assert first.sha256() != second.sha256()


def test_no_dictionary_changes_nothing_and_a_missing_one_is_said(place: Path) -> None:
    names = INSTRUMENTS.names()
    with looking_through(None):
        assert INSTRUMENTS.names() == names
    with pytest.raises(RecordError, match="no dictionary at"), looking_through(str(place / "absent")):
        pass
