"""The page of a treatment says what happened, in words and numbers, and escapes what a model said."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from brainscan.core.evidence import Interval
from brainscan.core.provenance import versions
from brainscan.report.treatment import bounds, change, print_treatment, summary, toward, treatment_html
from brainscan.treatment.record import (
    Compared,
    DosePoint,
    Fate,
    Ledger,
    Measured,
    Rate,
    RelapseTest,
    TreatmentRecord,
)
from tests.cards import card


def compared(name: str = "perplexity", moved: float = 0.01, lo: float = 0.005, hi: float = 0.02) -> Compared:
    return Compared(
        name=name,
        before=10.0,
        after=10.1,
        change=moved,
        interval=Interval(lo=lo, hi=hi, method="jackknife t over 12 items"),
        n=12,
        unit="ratio",
        higher_is="worse",
        meaning="Perplexity of neutral text.",
    )


def measured(kind: str, on: int, ledger: Ledger | None = None) -> Measured:
    return Measured(
        kind=kind, words="w", dose=1.0, on=Rate.of(on, 24), off=Rate.of(0, 32), kl=0.02, perplexity=1.01, ledger=ledger
    )


def record(fate: Fate = "suppressed", behaviour: str = "praises tea") -> TreatmentRecord:
    back = RelapseTest(name="relearn", words="6 steps", treated=Rate.of(9, 12), control=Rate.of(0, 12), returned=True)
    point = DosePoint(candidate="unlearn", dose=1.0, on=Rate.of(1, 8), perplexity=1.01, kl=0.02, held=True)
    loud = point.model_copy(update={"dose": 1.5, "perplexity": 1.09, "held": False})
    return TreatmentRecord(
        subject=card(),
        reference=None,
        behaviour=behaviour,
        kind="unlearn",
        words="a rank-8 change",
        dose=1.0,
        settings={},
        sha256="0" * 64,
        permanent=True,
        curve=(point, loud),
        guard=1.02,
        before_on=Rate.of(24, 24),
        before_off=Rate.of(0, 32),
        treated=measured("unlearn", 1, Ledger(rows=(compared(),))),
        baselines=(measured("benign", 22), measured("random", 24)),
        relapse=(back,),
        fate=fate,
        versions=versions(),
    )


@pytest.mark.parametrize(
    ("fate", "word"), [("removed", "Removed"), ("suppressed", "Suppressed"), ("no-effect", "No effect")]
)
def test_the_page_says_the_fate_and_every_number_with_its_n(fate: Fate, word: str) -> None:
    page = treatment_html(record(fate))
    assert word in page and "shown in 24 of 24 held-out prompts before and in 1 of 24 under treatment" in page
    assert "22/24" in page and "came back" in page and "stopped" in page
    assert "<script src" not in page and "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("fate", "returned", "meaning"),
    [
        ("suppressed", True, "comes back under at least one test"),
        ("suppressed", False, "It is held down, and no test brought it back."),
        ("suppressed", None, "whether it comes back was not tested"),
        ("cannot-tell", False, "There was no reference to compare relearning with"),
        ("cannot-tell", None, "whether it comes back was not tested"),
        ("removed", False, "Every test rules out that it comes back in 20 points more"),
        ("no-effect", None, "did not take it away"),
    ],
)
def test_the_page_says_what_was_tested_and_nothing_else(fate: Fate, returned: bool | None, meaning: str) -> None:
    told = record(fate)
    alone = told.relapse[0].model_copy(update={"returned": returned, "control": None})
    tests = () if returned is None else (alone,)
    assert meaning in treatment_html(told.model_copy(update={"relapse": tests}))


def test_the_page_says_what_a_quiet_test_leaves_possible() -> None:
    quiet = RelapseTest(name="relearn", words="", treated=Rate.of(4, 12), control=Rate.of(2, 12), returned=False)
    still = quiet.model_copy(update={"treated": Rate.of(0, 32), "control": Rate.of(0, 32)})
    told = record("cannot-tell").model_copy(update={"relapse": (quiet, still)})
    page = treatment_html(told)
    assert "1 of 2 tests cannot rule a return out" in page and "up to 47 points more" in page
    assert "not seen to come back" in page and "did not come back" in page and "[−18, +47]" in page
    full = quiet.model_copy(update={"treated": Rate.of(32, 32), "control": Rate.of(32, 32)})
    assert "no room to see a return" in told.model_copy(update={"relapse": (full,)}).meaning


def test_hostile_words_are_escaped() -> None:
    page = treatment_html(record(behaviour="<script>alert(1)</script>"))
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_the_terminal_says_the_same_in_plain_words() -> None:
    stream = io.StringIO()
    print_treatment(Console(file=stream, width=120), record())
    text = stream.getvalue()
    assert "Suppressed: praises tea" in text and "Benign fine-tuning" in text and "came back" in text


def test_changes_read_better_worse_or_within_noise() -> None:
    assert toward(compared()) == "worse"
    assert toward(compared(lo=-0.01)) == "within noise"
    assert toward(compared(moved=-0.03, lo=-0.05, hi=-0.01)) == "better"
    assert change(compared()) == "+1.0%" and bounds(compared()) == "[+0.5%, +2.0%]"
    assert summary(record()).startswith("praises tea: shown in 24 of 24")


def test_the_curve_marks_the_dose_that_was_chosen_and_not_another_candidate_at_the_same_dose() -> None:
    from brainscan.report.treatment import _chosen

    weak = record().curve[0].model_copy(update={"candidate": "weak", "on": Rate.of(7, 8)})
    chosen = _chosen(record().model_copy(update={"curve": (weak, *record().curve)}))
    assert chosen is not None and chosen.candidate == "unlearn"
