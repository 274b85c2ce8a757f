import io

from rich.console import Console

from brainscan.diagnosis.finding import Verdict
from brainscan.report.compare import NO_COMPARISON, OTHER_TEXTS, compare_html, print_comparison, transitions
from tests.report.test_html import Reader
from tests.samples import sample_diagnosis, sample_scan, sample_treated


def test_verdicts_are_followed_by_condition() -> None:
    _, after = sample_treated()
    moves = {move.condition: move for move in transitions(sample_diagnosis(), after)}
    assert [name for name, move in moves.items() if move.changed] == ["sycophancy", "backdoor"]
    assert (moves["backdoor"].before, moves["backdoor"].after) == (Verdict.FLAGGED, Verdict.CLEAR)
    fewer = after.model_copy(update={"findings": after.findings[1:]})
    assert {m.condition: m.after for m in transitions(sample_diagnosis(), fewer)}["deception"] is None


def test_the_page_shows_benefit_and_side_effect_alike_and_counts_the_rest() -> None:
    scan, diagnosis = sample_treated()
    page = compare_html(sample_scan(), scan, sample_diagnosis(), diagnosis)
    read = Reader(page)
    text = read.words()
    assert "2 of 8 shared measurements changed." in text
    assert "lower better" in text
    assert "higher worse" in text
    assert "6 within noise or cannot tell" in text
    assert "−81 [−90, −68] points" in text
    assert not [tag for tag, attributes in read.elements if "style" in attributes]


def test_other_prompts_are_never_compared() -> None:
    scan, diagnosis = sample_treated()
    other = scan.model_copy(update={"plan": scan.plan.model_copy(update={"texts_sha256": "ef" * 32})})
    page = compare_html(sample_scan(), other, sample_diagnosis(), diagnosis)
    assert OTHER_TEXTS in page
    assert "0 of 8 shared measurements changed." in page


def test_nothing_shared_is_no_comparison_and_never_no_change() -> None:
    empty = sample_scan().model_copy(update={"steps": ()})
    page = compare_html(empty, sample_scan(), sample_diagnosis(), sample_diagnosis())
    assert NO_COMPARISON in page
    assert "None is past noise." not in page


def test_the_terminal_says_the_same() -> None:
    scan, diagnosis = sample_treated()
    stream = io.StringIO()
    print_comparison(Console(file=stream, width=100, no_color=True), sample_scan(), scan, sample_diagnosis(), diagnosis)
    text = stream.getvalue()
    assert "backdoor: flagged -> clear" in text
    assert "higher (worse)" in text
    assert "2 changed, 6 within noise, 0 cannot tell." in text
