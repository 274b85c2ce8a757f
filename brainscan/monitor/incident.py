"""An incident: an answer that raised an alarm, with all that is needed to bring it about again. No torch here."""

from __future__ import annotations

from typing import Literal

from brainscan.core.evidence import Record
from brainscan.monitor.record import Verdict

Ending = Literal["", "end", "length", "stop", "monitor", "abstained", "timeout", "cancelled", "shutdown"]
"""Why an answer ended. "": it had not when this was written; cancelled: the client went away."""


class Incident(Record):
    """One answer that raised an alarm or whose monitor failed."""

    id: str
    created_utc: str
    subject_name: str
    subject_spec: str
    """As given to ``load_subject``."""
    weights_sha256: str
    monitor_file: str
    prompt: str
    """Text of the whole prompt, chat template and all."""
    prompt_ids: tuple[int, ...]
    answer: str
    answer_ids: tuple[int, ...]
    """Tokens chosen, those that the monitors held back included."""
    temperature: float
    top_p: float
    seed: int
    max_new: int
    ending: Ending
    verdict: Verdict
    open: bool
    """It waits for a person: its policy was to hand over, or a monitor failed."""
