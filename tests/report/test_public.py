import json
from pathlib import Path

import jsonschema
import pytest

from brainscan.report.public import published_schema, to_public
from tests.samples import HOSTILE, sample_diagnosis, sample_scan

COMMITTED = Path(__file__).parents[2] / "docs" / "schema" / "brainscan.scan-1.json"


def test_the_shape_is_the_published_one() -> None:
    public = to_public(sample_scan(), sample_diagnosis())
    assert public["schema"] == "brainscan.scan/1"
    assert {"subject", "reference", "plan", "self_check", "findings", "anomaly", "cost", "provenance"} <= public.keys()
    for finding in public["findings"]:
        assert {"condition", "verdict", "score", "p_value", "interval", "evidence"} <= finding.keys()
        assert finding["verdict"] in {"flagged", "clear", "cannot-tell", "not-assessed"}
        lo, hi = finding["interval"]
        assert lo <= hi
        for evidence in finding["evidence"]:
            assert {"kind", "summary", "tokens", "site", "status"} <= evidence.keys()
    assert public["anomaly"].keys() >= {"score", "p_value"}


def test_evidence_keeps_its_order_and_its_hostile_text_survives_a_round_trip() -> None:
    finding = next(
        f
        for f in to_public(sample_scan(), sample_diagnosis())["findings"]
        if f["condition"] == "jailbreak-susceptibility"
    )
    strengths = [evidence["strength"] for evidence in finding["evidence"]]
    assert strengths == sorted(strengths, reverse=True)
    assert json.loads(json.dumps(finding))["evidence"][3]["exchange"]["answer"] == HOSTILE


@pytest.mark.parametrize("reference", [True, False])
@pytest.mark.parametrize("calibration", [True, False])
def test_every_sample_validates_against_the_published_schema(reference: bool, calibration: bool) -> None:
    scan = sample_scan(reference=reference, self_check=reference)
    public = to_public(scan, sample_diagnosis(calibration=calibration, reference=reference))
    assert jsonschema.Draft202012Validator(published_schema()).is_valid(public)
    assert (public["reference"] is None) is (public["anomaly"] is None) is not reference


def test_the_schema_refuses_a_wrong_verdict_and_allows_new_fields() -> None:
    validator = jsonschema.Draft202012Validator(published_schema())
    public = to_public(sample_scan(), sample_diagnosis())
    public["later"] = public["findings"][0]["later"] = 1
    assert validator.is_valid(public)
    public["findings"][0]["verdict"] = "safe"
    assert not validator.is_valid(public)


def test_a_condition_without_a_measurement_says_no_items() -> None:
    finding = next(
        f for f in to_public(sample_scan(), sample_diagnosis())["findings"] if f["verdict"] == "not-assessed"
    )
    assert (finding["interval"], finding["interval_method"]) == ([0.0, 1.0], "no items, 95%")


def test_the_committed_schema_is_the_generated_one() -> None:
    assert json.loads(COMMITTED.read_text()) == published_schema()
