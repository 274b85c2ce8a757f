"""The verb gate: decide on a finished scan with a policy file. No torch and, for a folder, no database."""

from __future__ import annotations

from pathlib import Path

from brainscan.clinic.library import locate, read_folder
from brainscan.clinic.seal import SEAL_FILE, verify_seal
from brainscan.core.errors import RecordError
from brainscan.diagnosis.condition import asked_of
from brainscan.gate.decide import GateDecision, decide, refuse_unknown_conditions
from brainscan.gate.policy import Policy, read_policy


def decide_release(ref: str | Path, policy_file: Path | None) -> GateDecision:
    """Decide whether the scanned model may be released, by a policy file or the built-in policy.

    A scan that was changed after it was sealed is refused; one without a seal is taken as it is.

    Raises:
        UsageError: nothing or more than one scan answers to the name.
        PolicyError: the policy is not usable.
        RecordError: the scan is unfinished, broken, foreign or changed.
    """
    policy = _read(policy_file)
    folder = locate(ref).folder
    refuse_changed(folder)
    opened = read_folder(folder)
    return decide(opened.scan, opened.diagnosis, policy)


def read_release_policy(policy_file: Path | None) -> Policy:
    """The policy for a language model in this file, or the built-in one; checked before a scan is wasted on it.

    Raises:
        PolicyError: the policy is not usable, or names a condition that is not asked of a language model.
    """
    policy = _read(policy_file)
    refuse_unknown_conditions(policy, asked_of("text"))
    return policy


def refuse_changed(folder: Path) -> None:
    """Raise a RecordError when a file of the scan no longer agrees with its seal."""
    changed = [
        line.file for line in verify_seal(folder) if line.status in ("changed", "missing") and line.file != SEAL_FILE
    ]
    if changed:
        raise RecordError(
            f"{', '.join(changed)} in {folder} changed after the scan was sealed.",
            "Restore the scan from a copy, or scan the model again.",
        )


def _read(policy_file: Path | None) -> Policy:
    return Policy() if policy_file is None else read_policy(policy_file)
