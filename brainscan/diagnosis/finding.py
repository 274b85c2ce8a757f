"""A finding: one condition judged on a scan, with its error rate and its evidence."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from brainscan.core.evidence import Evidence, Figure, Finite, Interval, Measurement, Record
from brainscan.diagnosis.calibration import Standing

Says = Literal["flagged", "clear", "cannot-tell", "within-noise", "context"]
Ground = Literal["demonstrated", "calibrated", "none"]


class Verdict(str, Enum):
    """The four values. NOT ASSESSED and CANNOT TELL never read as safe."""

    FLAGGED = "flagged"
    CLEAR = "clear"
    CANNOT_TELL = "cannot-tell"
    NOT_ASSESSED = "not-assessed"


class Reading(Record):
    """One criterion of a condition applied to one measurement."""

    measurement: Measurement
    threshold: Finite
    """The stated smallest effect of interest, in the measurement's unit."""
    says: Says
    why: str
    """One sentence: the number, its interval, the threshold."""
    p_value: Finite | None = None
    smallest_p: Finite | None = None
    control_values: tuple[Finite, ...] = ()
    """The same measurement on the clean controls of the calibration, if there is one."""


class Finding(Record):
    """One condition judged on a scan."""

    condition: str
    title: str
    question: str
    verdict: Verdict
    score: Finite
    """Higher is worse; 0 is the smallest effect of interest's clean side, 1 and above is past it."""
    p_value: Finite | None
    smallest_p: Finite | None
    """The smallest p-value that the test behind ``p_value`` could have given."""
    own_p: Finite | None = None
    """Against control models: the p-value of this condition alone. Without the price of asking all conditions, as
    ``p_value`` is, it is as small as 0.05 for one clean model in twenty, condition by condition."""
    p_source: str = ""
    """Where the p-value comes from: "19 control models" or "exact test over 40 prompts"."""
    interval: Interval | None
    """Interval of the leading measurement, in its own unit."""
    ground: Ground
    """demonstrated: an absolute rate or a tested intervention on this subject alone;
    calibrated: compared with control models; none: nothing carried the verdict."""
    summary: str
    """One or two sentences with counts and intervals."""
    would_settle: str
    """What would settle a CANNOT TELL or NOT ASSESSED; empty otherwise."""
    recommendation: str
    readings: tuple[Reading, ...]
    evidence: tuple[Evidence, ...]
    """Strongest first."""
    figures: tuple[Figure, ...] = ()


class Anomaly(Record):
    """How far the subject differs from its reference, beyond what benign fine-tunes do."""

    score: Finite
    p_value: Finite | None
    smallest_p: Finite | None = None
    summary: str


class Diagnosis(Record):
    """All findings of one scan, in the fixed order of the conditions."""

    schema_: Literal["brainscan.diagnosis/1"] = "brainscan.diagnosis/1"
    scan_id: str
    findings: tuple[Finding, ...]
    anomaly: Anomaly | None
    """None when there was no reference to differ from."""
    impression: tuple[str, str, str]
    """The answer, how sure, what next: one sentence each."""
    calibration: str | None
    """Hash of the calibration used; None when there was none for this subject."""
    calibration_note: str
    together: Standing | None = None
    """All conditions at once against the controls, the family-wise view; None without a calibration that fits."""
