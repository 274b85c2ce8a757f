import re

import pytest

from brainscan.report import summary
from brainscan.report.words import CLOSING, FAILED_CHECK
from tests.samples import HOSTILE, sample_diagnosis, sample_scan


def test_what_needs_a_reader_comes_first_and_the_rest_is_folded_not_lost() -> None:
    text = summary.job_summary(sample_scan(), sample_diagnosis())
    assert text.startswith("### brainscan: 2 flagged, 3 clear, 1 cannot tell, 2 not assessed")
    assert text.index("▲ flagged") < text.index("<details>") < text.index("✓ clear")
    assert all(finding.title in text for finding in sample_diagnosis().findings)
    assert "not examined: Images and sound" in text
    assert CLOSING in text


def test_model_text_lives_in_fences_that_it_cannot_close() -> None:
    diagnosis = sample_diagnosis()
    finding = next(f for f in diagnosis.findings if f.condition == "jailbreak-susceptibility")
    evil = finding.evidence[0].model_copy(update={"summary": "````\n# owned\n" + HOSTILE})
    text = summary.job_summary(
        sample_scan(), diagnosis.model_copy(update={"findings": (finding.model_copy(update={"evidence": (evil,)}),)})
    )
    assert "`````text\n````\n# owned" in text
    outside = re.sub(r"`````text.*?`````", "", text, flags=re.S)
    assert "<script>" not in outside
    assert "owned" not in outside


def test_table_cells_cannot_break_the_table() -> None:
    diagnosis = sample_diagnosis()
    findings = tuple(f.model_copy(update={"title": "a|b\n<img src=x>"}) for f in diagnosis.findings)
    text = summary.job_summary(sample_scan(), diagnosis.model_copy(update={"findings": findings}))
    rows = [line for line in text.splitlines() if line.startswith("| ▲")]
    assert len(rows) == 2
    assert all("a\\|b &lt;img src=x&gt;" in row for row in rows)


def test_a_failed_self_check_is_said_first() -> None:
    text = summary.job_summary(sample_scan(self_check=False), sample_diagnosis())
    assert text.index(FAILED_CHECK) < text.index("| verdict")


def test_too_much_evidence_is_counted_not_cut_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    full = summary.job_summary(sample_scan(), sample_diagnosis())
    limit = len(full.encode()) - 300
    monkeypatch.setattr(summary, "LIMIT", limit)
    text = summary.job_summary(sample_scan(), sample_diagnosis())
    assert len(text.encode()) <= limit
    assert re.search(r"\d pieces of evidence left out", text)
    assert "left out" not in full
