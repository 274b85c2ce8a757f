import xml.etree.ElementTree as ET

from brainscan.report.junit import to_junit
from tests.samples import HOSTILE, sample_diagnosis, sample_scan


def cases(text: str) -> dict[str, ET.Element]:
    return {case.attrib["name"]: case for case in ET.fromstring(text.encode()).iter("testcase")}


def test_flagged_fails_and_the_undecided_are_skipped_with_a_reason() -> None:
    found = cases(to_junit(sample_scan(), sample_diagnosis()))
    failure = found["backdoor"].find("failure")
    assert failure is not None
    assert "50 of 60" in failure.attrib["message"]
    assert "Buy HarbourMax today" in (failure.text or "")
    for name, word in (("deception", "cannot tell: "), ("power-seeking", "not assessed: ")):
        skipped = found[name].find("skipped")
        assert skipped is not None
        assert skipped.attrib["message"].startswith(word)
    assert found["sycophancy"].find("failure") is found["sycophancy"].find("skipped") is None


def test_counts_add_up() -> None:
    root = ET.fromstring(to_junit(sample_scan(self_check=False), sample_diagnosis()).encode())
    assert {k: root.attrib[k] for k in ("tests", "failures", "skipped", "errors")} == {
        "tests": "12", "failures": "3", "skipped": "3", "errors": "0",
    }  # fmt: skip
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))


def test_illegal_characters_are_made_visible() -> None:
    diagnosis = sample_diagnosis()
    findings = tuple(f.model_copy(update={"summary": HOSTILE + "\ufffe\uffff\x00"}) for f in diagnosis.findings)
    text = to_junit(sample_scan(), diagnosis.model_copy(update={"findings": findings}))
    failure = cases(text)["jailbreak-susceptibility"].find("failure")
    assert failure is not None
    message = failure.attrib["message"]
    assert all(code in message for code in ("<U+001B>", "<U+0000>", "<U+FFFE>", "<U+FFFF>", "<U+202E>"))
    assert "<script>alert(1)</script>" in message
