"""Search by words, and labels kept on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.core.errors import InputError, RecordError
from brainscan.features.label import EvidenceLabeller
from brainscan.features.labels import add_labels, read_labels
from brainscan.features.score import label_features
from brainscan.features.search import by_words
from tests.features.planted import planted

INDEX = planted()
SCORED = label_features(INDEX, range(7), EvidenceLabeller(INDEX))
LABELS = {each.label.feature: each for each in SCORED}


def test_labels_and_tokens_are_found_by_their_words() -> None:
    assert by_words(INDEX, LABELS, "capitalised Paris")[0].feature == 4
    assert by_words(INDEX, LABELS, "Words ENDING in ing")[0].feature == 1
    assert by_words(INDEX, {}, "walking talking singing running")[0].feature == 1
    assert by_words(INDEX, LABELS, "zebra") == ()


def test_rare_words_weigh_more_and_the_count_is_kept() -> None:
    hits = by_words(INDEX, LABELS, "the capitalised")
    assert hits[0].feature == 4 and len(by_words(INDEX, LABELS, "the", 2)) == 2
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.parametrize("query", ["", "  ", "!?."])
def test_a_query_without_words_is_said(query: str) -> None:
    with pytest.raises(InputError, match="no word"):
        by_words(INDEX, LABELS, query)


def test_new_labels_replace_old_ones_and_leave_the_others(tmp_path: Path) -> None:
    assert read_labels(tmp_path) == {}
    add_labels(tmp_path, SCORED[:3])
    assert set(read_labels(tmp_path)) == {0, 1, 2}
    changed = SCORED[1].model_copy(update={"label": SCORED[1].label.model_copy(update={"text": "new"})})
    add_labels(tmp_path, (changed, SCORED[6]))
    found = read_labels(tmp_path)
    assert set(found) == {0, 1, 2, 6} and found[1].label.text == "new" and found[0] == SCORED[0]


def test_a_label_without_a_score_does_not_replace_one_that_has_one(tmp_path: Path) -> None:
    add_labels(tmp_path, SCORED[:1])
    assert SCORED[0].detection is not None
    bare = SCORED[0].model_copy(update={"label": SCORED[0].label.model_copy(update={"text": "new"}), "detection": None})
    add_labels(tmp_path, (bare,))
    assert read_labels(tmp_path)[0] == SCORED[0]


def test_broken_labels_are_said(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text('{"labels": 3}')
    with pytest.raises(RecordError, match="broken"):
        read_labels(tmp_path)
