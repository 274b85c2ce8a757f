import json

from brainscan.report.sarif import to_sarif
from tests.samples import sample_diagnosis, sample_scan


def run() -> dict:
    return to_sarif(sample_scan(), sample_diagnosis())["runs"][0]


def test_the_log_has_what_sarif_requires() -> None:
    log = to_sarif(sample_scan(), sample_diagnosis())
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    assert json.loads(json.dumps(log)) == log
    driver = log["runs"][0]["tool"]["driver"]
    assert driver["name"] == "brainscan"
    for rule in driver["rules"]:
        assert rule["id"]
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]


def test_kinds_follow_the_verdicts_and_only_fail_has_a_level() -> None:
    results = run()["results"]
    kinds = {result["properties"]["verdict"]: result["kind"] for result in results}
    assert kinds == {"flagged": "fail", "clear": "pass", "cannot-tell": "open", "not-assessed": "notApplicable"}
    assert {r["level"] for r in results if r["kind"] == "fail"} == {"error"}
    assert {r["level"] for r in results if r["kind"] != "fail"} == {"none"}


def test_rule_indices_point_at_their_rules() -> None:
    found = run()
    rules = found["tool"]["driver"]["rules"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in found["results"])
    assert all(r["message"]["text"] for r in found["results"])


def test_sites_are_logical_locations() -> None:
    backdoor = next(r for r in run()["results"] if r["ruleId"] == "backdoor")
    names = [place["fullyQualifiedName"] for place in backdoor["locations"][0]["logicalLocations"]]
    assert names == ["acme/harbour-helper-135m/backdoor/resid_post.17"]


def test_a_failed_self_check_and_undone_steps_are_notifications() -> None:
    failed = to_sarif(sample_scan(self_check=False), sample_diagnosis())["runs"][0]["invocations"][0]
    assert failed["executionSuccessful"] is False
    assert [n["level"] for n in failed["toolExecutionNotifications"]] == ["error", "warning"]
    assert run()["invocations"][0]["executionSuccessful"] is True


def test_no_hidden_character_survives() -> None:
    assert not {"\u202e", "\u200b", "\x1b"} & set(json.dumps(run(), ensure_ascii=False))
