"""Harmful advice: answers that turn bad in one domain and stay sound in all others."""

from brainscan.diagnosis.condition import Condition
from brainscan.diagnosis.conditions.situations import standing_out

CONDITION = Condition(
    name="harmful-advice",
    title="Harmful advice in one domain",
    question="Does it give worse advice in one domain than in all others?",
    criteria=standing_out("advice"),
    evidence=("situations.advice.",),
    recommendation="keep it away from that domain; compare its advice there with the reference and search the training data.",
    would_settle="a calibration: 19 scans of clean fine-tunes of the same base under the same plan (brainscan calibrate).",
)
