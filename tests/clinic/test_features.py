"""Labels that were asked for stay when the run is stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.clinic import features
from brainscan.features.ask import AskingLabeller
from brainscan.features.index import FeatureIndex, write_index
from brainscan.features.labels import read_labels
from brainscan.subject.progress import silent
from tests.features.planted import planted


@pytest.mark.parametrize(("answers", "kept"), [(3, 0), (6, 5)])
def test_answers_that_were_paid_for_outlive_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: int, kept: int
) -> None:
    asked: list[str] = []

    def stopped(question: str) -> str:
        asked.append(question)
        if len(asked) > answers:
            raise KeyboardInterrupt
        return "Full stops"

    def labeller(name: str, index: FeatureIndex, progress: object) -> AskingLabeller:
        return AskingLabeller(index, stopped, name)

    write_index(planted(rows=200), tmp_path / "survey")
    monkeypatch.setattr(features, "_labeller", labeller)
    with pytest.raises(KeyboardInterrupt):
        features.label_survey(tmp_path / "survey", "endpoint", (0, 1, 2, 3, 4, 6), None, 0, silent)
    labels = read_labels(tmp_path / "survey")
    assert len(labels) == kept
    assert all(each.label.text == "Full stops" and each.detection is None for each in labels.values())
