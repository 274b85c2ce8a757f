import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from brainscan.diagnosis.finding import Verdict
from brainscan.report.html import render_html
from brainscan.report.public import to_public
from brainscan.report.words import CLOSING, FAILED_CHECK, WORDS
from tests.samples import sample_arrays, sample_diagnosis, sample_scan


class Reader(HTMLParser):
    """What a browser would see: elements with attributes, text outside script and style, and their contents."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self._inside: tuple[str, dict[str, str | None]] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = (tag, dict(attrs))
            self.raw.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            self.text.append(data)
        else:
            tag, attrs, before = self.raw[-1]
            self.raw[-1] = (tag, attrs, before + data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def page() -> str:
    return render_html(sample_scan(), sample_diagnosis(), sample_arrays())


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    return Reader(page)


def test_the_policy_allows_exactly_the_one_style_and_the_one_script(page: str, read: Reader) -> None:
    policy = next(a["content"] for tag, a in read.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    run = [(tag, body) for tag, attrs, body in read.raw if attrs.get("type") != "application/json"]
    assert [tag for tag, _ in run] == ["style", "script"]
    for tag, body in run:
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert page.index("Content-Security-Policy") < page.index("<style")


def test_nothing_on_the_page_is_blocked_by_its_policy_or_fetched(read: Reader) -> None:
    for tag, attributes in read.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "srcset", "action"):
            address = attributes.get(name) or "#"
            assert address.startswith(("#", "data:image/png;base64,", "data:text/csv")), (tag, address[:60])
    assert not [tag for tag, _ in read.elements if tag in ("iframe", "object", "link", "form", "img")]


def test_hostile_text_stays_text(page: str, read: Reader) -> None:
    assert "<script>alert(1)</script>" in read.words()
    assert "\u202e" not in page
    assert "\u200b" not in page
    assert "\x1b" not in page
    assert "U+202E" in read.words()


def test_hostile_names_stay_text_too() -> None:
    evil = '"><script>alert(3)</script>\u202e'
    scan = sample_scan()
    scan = scan.model_copy(update={"subject": scan.subject.model_copy(update={"name": evil})})
    diagnosis = sample_diagnosis()
    findings = tuple(f.model_copy(update={"condition": evil, "title": evil}) for f in diagnosis.findings)
    page = render_html(scan, diagnosis.model_copy(update={"findings": findings}), sample_arrays())
    assert "<script>alert(3)" not in page
    assert "\u202e" not in page


def test_all_four_verdicts_show_word_shape_and_fill(read: Reader) -> None:
    text = read.words()
    assert "2 flagged · 3 clear · 1 cannot tell · 2 not assessed" in text
    for verdict, word in WORDS.items():
        assert word.word in text
        assert ("svg", f"mark {verdict.value}") in [(tag, a.get("class")) for tag, a in read.elements]
        assert f"chip {verdict.value}" in [a.get("class") for _, a in read.elements]


def test_the_page_is_complete_without_script(read: Reader) -> None:
    text = read.words()
    diagnosis, scan = sample_diagnosis(), sample_scan()
    for sentence in diagnosis.impression:
        assert sentence in text
    for finding in diagnosis.findings:
        assert finding.question in text
        assert finding.summary in text
    assert scan.provenance.command in text
    assert CLOSING in text
    assert all(item.could_hide in text for item in scan.not_examined)
    assert "27/30, 90% [73–98]" in text
    assert "0.050 (smallest possible 0.050)" in text


def test_figures_are_drawn_with_their_counts(read: Reader) -> None:
    pictures = [a for tag, a in read.elements if tag == "image"]
    assert len(pictures) == 2 * 2 * 2  # two scan images, wide and narrow, light and dark
    text = read.words()
    assert "cells lie beyond the scale" in text
    assert "40 hatched cells were not captured." in text
    assert "5th–95th percentile of 60 random strings" in text
    assert "threshold 10%: 0 of 19 controls past it" in text


def test_figures_have_names_and_unique_anchors(read: Reader) -> None:
    ids = [a["id"] for _, a in read.elements if a.get("id")]
    assert len(ids) == len(set(ids))
    anchors = {a["href"] for tag, a in read.elements if tag == "a" and (a.get("href") or "").startswith("#")}
    assert {(anchor or "")[1:] for anchor in anchors} <= set(ids)
    drawings = [i for i, (tag, a) in enumerate(read.elements) if tag == "svg" and a.get("role") == "img"]
    assert all(read.elements[i + 1][0] == "title" and read.elements[i + 2][0] == "desc" for i in drawings)


def test_the_data_block_holds_the_public_json(read: Reader) -> None:
    block = next(body for _, attrs, body in read.raw if attrs.get("id") == "scan")
    assert not set("<>&") & set(block)
    assert json.loads(block) == to_public(sample_scan(), sample_diagnosis())


def test_demonstrated_and_calibrated_are_worded_differently(page: str) -> None:
    sections = dict(re.findall(r'<section class="finding [a-z-]+" id="f-([a-z-]+)"(.*?)</section>', page, re.S))
    assert "Shown on this model." in sections["jailbreak-susceptibility"]
    assert "Judged against control models." in sections["backdoor"]
    assert "Judged against" not in sections["jailbreak-susceptibility"]
    assert "Not assessed is not safe." in sections["power-seeking"]
    assert "What would settle it:" in sections["deception"]


def test_without_a_calibration_the_page_says_what_would_buy_one() -> None:
    text = Reader(render_html(sample_scan(), sample_diagnosis(calibration=False), sample_arrays())).words()
    assert "No calibration" in text
    assert "What would buy a verdict at the level of the model: clean control models" in text
    assert "Judged against control models." not in text


def test_a_failed_self_check_puts_a_bar_over_everything() -> None:
    failed = render_html(sample_scan(self_check=False, reference=False), sample_diagnosis(), sample_arrays())
    assert failed.index(FAILED_CHECK) < failed.index("<main")
    assert "There was no reference to compare it with." in failed


def test_a_passed_self_check_shows_no_bar(read: Reader) -> None:
    assert FAILED_CHECK not in read.words()


def test_a_figure_that_cannot_be_drawn_is_named() -> None:
    arrays = sample_arrays()
    del arrays["trigger.image"]
    arrays["trigger.profile"] = np.zeros(4, dtype=np.float32)
    text = Reader(render_html(sample_scan(), sample_diagnosis(), arrays)).words()
    assert "Its array is not in the scan folder." in text
    assert "Its array does not have the shape that the figure names." in text


def test_a_figure_that_two_findings_share_is_drawn_once() -> None:
    diagnosis = sample_diagnosis()
    backdoor = next(f for f in diagnosis.findings if f.condition == "backdoor")
    findings = (*diagnosis.findings, backdoor.model_copy(update={"condition": "anomaly", "title": "Unusual change"}))
    read = Reader(render_html(sample_scan(), diagnosis.model_copy(update={"findings": findings}), sample_arrays()))
    assert sum(tag == "image" for tag, _ in read.elements) == 8
    assert "“Where the trigger shows” is drawn under Backdoor ." in read.words()
    assert "A difference is not a fault" not in read.words()


def test_much_evidence_is_cut_with_a_count() -> None:
    diagnosis = sample_diagnosis()
    findings = tuple(
        f.model_copy(update={"evidence": f.evidence * 20}) if f.condition == "jailbreak-susceptibility" else f
        for f in diagnosis.findings
    )
    text = Reader(
        render_html(sample_scan(), diagnosis.model_copy(update={"findings": findings}), sample_arrays())
    ).words()
    assert "showing 25 of 80" in text


def test_two_renderings_are_equal_and_within_the_budget(page: str) -> None:
    assert render_html(sample_scan(), sample_diagnosis(), sample_arrays()) == page
    assert len(page.encode()) < 1_500_000
    assert f"This page is {round(len(page.encode()) / 1000)} kB" in page


def test_a_scan_with_nothing_in_it_still_renders() -> None:
    scan = sample_scan().model_copy(update={"steps": (), "self_check": (), "not_examined": ()})
    diagnosis = sample_diagnosis().model_copy(update={"findings": (), "anomaly": None})
    text = Reader(render_html(scan, diagnosis, {})).words()
    assert "No self-check was recorded" in text
    assert "names nothing that it left out" in text
    assert "0 flagged" in text


def test_no_overall_grade(read: Reader) -> None:
    assert not re.search(r"overall (grade|score)|safety score", read.words(), re.I)
    assert {f.verdict for f in sample_diagnosis().findings} == set(Verdict)
