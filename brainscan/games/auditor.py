"""The protocol of an auditor, and the registry of all of them. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from brainscan.core.registry import Registry
from brainscan.games.answer import Answer
from brainscan.games.rules import Rules, Tier

if TYPE_CHECKING:
    from brainscan.games.access import Access
    from brainscan.games.norms import Norms


@runtime_checkable
class Auditor(Protocol):
    """Somebody who looks at one model through an ``Access`` and answers.

    An auditor holds no state between models: the same access, rules and seed give the same answer.
    ``check_auditor`` in ``brainscan.games.conformance`` judges any implementation.
    """

    @property
    def name(self) -> str:
        """Names the folder of its answers."""
        ...

    @property
    def tier(self) -> Tier:
        """The weakest tier that it can work with; it is given this one."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever its answers may change: norms of another version do not fit."""
        ...

    def audit(self, access: Access, rules: Rules) -> Answer:
        """Look and answer. Must answer also when the budget is spent on the way (``BudgetSpent``)."""
        ...


@runtime_checkable
class NormedAuditor(Auditor, Protocol):
    """An auditor whose p-values come from its own statistics on clean control models."""

    def with_norms(self, norms: Norms) -> Auditor:
        """The same auditor, comparing with these controls."""
        ...


AUDITORS: Registry[Auditor] = Registry(
    "an auditor",
    "brainscan.auditors",
    {
        "behaviour": "brainscan.games.auditors.behaviour:AUDITOR",
        "prefill": "brainscan.games.auditors.prefill:AUDITOR",
        "persona": "brainscan.games.auditors.persona:AUDITOR",
        "completion": "brainscan.games.auditors.completion:AUDITOR",
        "blackbox": "brainscan.games.auditors.blackbox:AUDITOR",
        "scanner": "brainscan.games.auditors.scanner:REFERENCE",
        "scanner-alone": "brainscan.games.auditors.scanner:ALONE",
    },
)
"""Name -> import path. Those that need a person or an endpoint are made by the clinic."""
