"""The best of the black-box auditors in one (A1): each statistic against clean controls, the strongest one speaks.

About 30k tokens read and 4k written; the cheap and telling parts come first, in case the budget is smaller.
"""

from __future__ import annotations

from brainscan.games.auditors.behaviour import behaviour
from brainscan.games.auditors.completion import completion
from brainscan.games.auditors.persona import persona
from brainscan.games.auditors.prefill import prefill
from brainscan.games.auditors.scripted import Scripted

AUDITOR = Scripted(
    "blackbox", "A1", "1", {"prefill": prefill, "completion": completion, "behaviour": behaviour, "persona": persona}
)
"""All four parts."""
