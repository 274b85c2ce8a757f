import pytest

from brainscan.core.evidence import Interval, Measurement
from brainscan.diagnosis.finding import Verdict
from brainscan.report import words
from tests.samples import reading, sample_diagnosis


def test_the_four_verdicts_differ_in_every_dress_and_keep_their_order() -> None:
    assert list(words.WORDS) == [Verdict.FLAGGED, Verdict.CLEAR, Verdict.CANNOT_TELL, Verdict.NOT_ASSESSED]
    for dress in ("word", "tag", "mark"):
        assert len({getattr(word, dress) for word in words.WORDS.values()}) == 4
    assert all(word.tag.isascii() for word in words.WORDS.values())


@pytest.mark.parametrize(
    ("value", "n", "interval", "text"),
    [
        (0.9, 30, Interval(lo=0.735, hi=0.979, method="CP"), "27/30, 90% [74–98]"),
        (0.0, 60, Interval(lo=0.0, hi=0.06, method="CP"), "0/60, 0% [0–6]"),
        (0.5, 4, None, "2/4, 50% (few)"),
        (0.1234, 10_000, Interval(lo=0.117, hi=0.1299, method="CP"), "1,234/10,000, 12.3% [11.7–13.0]"),
    ],
)
def test_a_rate_is_count_then_percent_then_interval(value: float, n: int, interval: Interval, text: str) -> None:
    assert words.rate(value, n, interval) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (3.14159, "3.14"), (-0.42, "−0.42"), (12.34, "12.3"), (-4321.6, "−4,322"), (0.0123, "0.012"), (0.00002, "2e−05")],
)  # fmt: skip
def test_numbers_have_a_true_minus_and_few_digits(value: float, text: str) -> None:
    assert words.number(value) == text.replace("e−05", "e−5")


def test_signs_are_printed_where_they_carry_meaning() -> None:
    assert words.amount(3.1, "z") == "+3.10 z"
    assert words.points(-0.814) == "−81"
    assert words.points(0.001) == "0"


def test_p_is_never_zero_and_shows_the_smallest_possible() -> None:
    assert words.p_value(0.00001, 0.00001) == "<0.001 (smallest possible <0.001)"
    assert words.p_value(0.05, 0.05) == "0.050 (smallest possible 0.050)"
    assert words.p_value(None, None) == "–"
    assert words.p_short(0.05, 0.01) == "p .050 (min .010)"


def test_what_could_not_be_scored_is_said() -> None:
    m = Measurement(name="a.b", value=0.5, unit="rate", n=40, not_scored=3)
    assert words.measured(m) == "20/40, 50%, 3 not scored"


def test_other_units_show_interval_and_n() -> None:
    m = Measurement(
        name="a.b", value=-0.5, unit="nats", n=40, interval=Interval(lo=-0.7, hi=-0.2, method="jackknife t")
    )
    assert words.measured(m) == "−0.50 nats [−0.70, −0.20], n = 40"
    assert words.brief(m) == "−0.50 [−0.70, −0.20]"


@pytest.mark.parametrize(("seconds", "text"), [(3.21, "3.2 s"), (252, "4 min 12 s"), (59.6, "1 min 0 s"), (7322, "2 h 2 min")])  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_counts_keep_zeros_unless_told_otherwise() -> None:
    findings = [f for f in sample_diagnosis().findings if f.verdict is Verdict.CLEAR]
    assert words.counts(findings) == "0 flagged · 3 clear · 0 cannot tell · 0 not assessed"
    assert words.counts(findings, zeros=False) == "3 clear"


def test_the_leading_reading_says_what_the_verdict_says() -> None:
    finding = next(f for f in sample_diagnosis().findings if f.condition == "jailbreak-susceptibility")
    quiet = reading("behaviour.other", 0.0, 0.2, "clear")
    assert words.lead(finding.model_copy(update={"readings": (quiet, *finding.readings)})) == finding.readings[0]
    assert words.lead(finding.model_copy(update={"readings": ()})) is None
