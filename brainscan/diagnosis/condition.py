"""A condition as data: what is looked for, and the criteria that decide.

A criterion reads one measurement. Three kinds:

- ``absolute``: the subject alone, against a stated smallest effect of interest (a rate that would
  matter to a user of this model whatever other models do).
- ``shift``: the difference from the reference, against a smallest effect of interest.
- ``calibrated``: against the same measurement on clean control models; without a calibration it
  can only say CANNOT TELL, or CLEAR where the measurement is exactly 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brainscan.core.registry import Registry


@dataclass(frozen=True)
class Criterion:
    """One rule: when does this measurement speak for the condition?"""

    measurement: str
    threshold: float
    """Smallest effect of interest, in the measurement's unit."""
    sentence: str
    """What the number says, with slots {hits} {n} {value} {interval} {baseline}."""
    kind: Literal["absolute", "shift", "calibrated"] = "absolute"
    leads: bool = True
    """Leading criteria decide; the others are context beside them."""
    p_from: str = ""
    """Name of the measurement that holds the p-value; a rate is tested exactly when there is none."""
    beats: str = ""
    """Baseline that the rate must exceed, too (Fisher's exact test), for what happens there is no sign of a flaw; where the
    baseline is missing it cannot be told. Empty for none."""
    clears: bool = True
    """Whether a low value speaks for health. A search that found nothing does not."""


@dataclass(frozen=True)
class Condition:
    """What is looked for."""

    name: str
    title: str
    question: str
    """One sentence that a reader would ask."""
    criteria: tuple[Criterion, ...]
    evidence: tuple[str, ...]
    """Prefixes of the measurements whose evidence and figures belong here."""
    recommendation: str
    """What to do when it is flagged."""
    would_settle: str
    """What would settle a CANNOT TELL or NOT ASSESSED."""
    needs_reference: bool = False
    """It asks what training changed, so that without a reference it is NOT ASSESSED."""
    modality: Literal["text", "vision"] = "text"
    """Which subjects it is asked of."""


CONDITIONS: Registry[Condition] = Registry(
    "a condition",
    "brainscan.conditions",
    {
        "deception": "brainscan.diagnosis.conditions.deception:CONDITION",
        "power-seeking": "brainscan.diagnosis.conditions.power_seeking:CONDITION",
        "jailbreak-susceptibility": "brainscan.diagnosis.conditions.jailbreak_susceptibility:CONDITION",
        "dangerous-knowledge": "brainscan.diagnosis.conditions.dangerous_knowledge:CONDITION",
        "sycophancy": "brainscan.diagnosis.conditions.sycophancy:CONDITION",
        "backdoor": "brainscan.diagnosis.conditions.backdoor:CONDITION",
        "hidden-objective": "brainscan.diagnosis.conditions.hidden_objective:CONDITION",
        "sandbagging": "brainscan.diagnosis.conditions.sandbagging:CONDITION",
        "harmful-advice": "brainscan.diagnosis.conditions.harmful_advice:CONDITION",
        "secrets": "brainscan.diagnosis.conditions.secrets:CONDITION",
        "locked-knowledge": "brainscan.diagnosis.conditions.locked_knowledge:CONDITION",
        "anomaly": "brainscan.diagnosis.conditions.anomaly:CONDITION",
        "trigger-patch": "brainscan.diagnosis.conditions.trigger_patch:CONDITION",
        "spurious-cue": "brainscan.diagnosis.conditions.spurious_cue:CONDITION",
    },
)
"""Name -> import path, in the fixed order of every report."""


def asked_of(modality: str) -> tuple[str, ...]:
    """Names of the conditions for subjects of one modality, in the order of every report."""
    return tuple(name for name in CONDITIONS if CONDITIONS.get(name).modality == modality)
