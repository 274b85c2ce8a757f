"""The page of features: complete, escaped, and honest about what was not tested or not shown."""

from __future__ import annotations

import re
from dataclasses import replace

from brainscan.features.label import EvidenceLabeller, Label
from brainscan.features.score import ScoredLabel, label_features
from brainscan.report.features import MOST, features_html
from tests.features.planted import VOCABULARY, planted

INDEX = planted(rows=150)
LABELS = {s.label.feature: s for s in label_features(INDEX, range(4), EvidenceLabeller(INDEX))}
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x1b[31m"


def test_labels_carry_their_scores_and_the_others_say_that_they_are_untested() -> None:
    page = features_html(INDEX, LABELS, range(7))
    assert page.count("<section") == 9
    first = page.split('id="f0"')[1].split("</section>")[0]
    assert "detection" in first and "n = " in first and "another feature" in first
    unlabelled = page.split('id="f4"')[1].split("</section>")[0]
    assert "not labelled" in unlabelled and "none proposed yet" in unlabelled
    dead = page.split('id="f5"')[1].split("</section>")[0]
    assert "did not fire on any of" in dead and "<svg" not in dead


def test_signs_are_printed_and_examples_of_every_strength_are_there() -> None:
    page = features_html(INDEX, LABELS, [2])
    assert "raises (+)" in page and "lowers (−)" in page and "+1.00" in page and "−1.00" in page
    for words in ("Strongest examples", "Strongest fifth", "Middle fifth", "Weakest fifth"):
        assert words in page


def test_hostile_text_stays_text() -> None:
    vocabulary = tuple(HOSTILE + word if word == "." else word for word in VOCABULARY)
    label = ScoredLabel(
        label=Label(feature=0, labeller=HOSTILE, text=HOSTILE),
        detection=None, against_neighbour=None, fuzzing=None, borrowed=None, neighbour=None,
    )  # fmt: skip
    about = INDEX.about.model_copy(update={"dictionary": HOSTILE, "source": HOSTILE})
    page = features_html(replace(INDEX, vocabulary=vocabulary, about=about), {0: label}, range(7))
    assert "<img" not in page and page.count("<script") == 1
    assert "\u202e" not in page and "\x1b" not in page


def test_the_page_is_complete_without_script_and_network() -> None:
    page = features_html(INDEX, LABELS, range(7))
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", page)
    assert " style=" not in page and " onclick" not in page


def test_what_is_left_out_is_counted() -> None:
    page = features_html(INDEX, LABELS, [0] * (MOST + 5))
    assert f"{MOST} features are shown and 5 that were asked for are left out" in page
