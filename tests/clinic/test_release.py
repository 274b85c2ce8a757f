"""The verb gate joins policy, scan and seal."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.clinic.library import remember
from brainscan.clinic.release import decide_release, read_release_policy
from brainscan.core.errors import PolicyError, RecordError
from brainscan.diagnosis.condition import CONDITIONS
from tests.clinic.shelf import write_sample

EXAMPLE = Path(__file__).parents[2] / "examples" / "policy.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sample(tmp_path / "scan")
    return tmp_path / "scan"


def test_a_stored_scan_is_decided_by_the_builtin_policy(folder: Path) -> None:
    remember(folder)
    assert decide_release("latest", None) == decide_release(folder, None)
    assert decide_release(folder, None).outcome == "fail"


def test_the_example_names_only_conditions_and_measurements_that_exist() -> None:
    policy = read_release_policy(EXAMPLE)
    measured = {criterion.measurement for name in CONDITIONS for criterion in CONDITIONS.get(name).criteria}
    assert set(policy.measurements) <= measured


def test_a_misspelt_condition_is_found_before_there_is_a_scan(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("[conditions.backdoors]\nmax_p = 0.01")
    with pytest.raises(PolicyError, match=r"Did you mean backdoor\?"):
        read_release_policy(tmp_path / "p.toml")


def test_a_condition_of_pictures_is_refused_before_a_language_model_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("[conditions.spurious-cue]\nmax_p = 0.01")
    with pytest.raises(PolicyError, match="is not asked of this kind of model"):
        read_release_policy(tmp_path / "p.toml")


def test_a_broken_seal_is_refused_and_a_missing_one_is_not(folder: Path) -> None:
    (folder / "scan.json").write_text((folder / "scan.json").read_text() + "\n")
    with pytest.raises(RecordError, match=r"scan\.json in .* changed after"):
        decide_release(folder, None)
    (folder / "seal.json").unlink()
    assert decide_release(folder, None).outcome == "fail"
